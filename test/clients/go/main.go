// Reads a stream with r3labs/sse as its documentation shows it, and prints each message as a line of JSON. Exits with 0
// when the client returns without an error.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/r3labs/sse/v2"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	client := sse.NewClient(os.Args[1])
	err := client.SubscribeRawWithContext(ctx, func(message *sse.Event) {
		line, _ := json.Marshal(map[string]string{
			"id": string(message.ID), "event": string(message.Event), "data": string(message.Data),
		})
		fmt.Println(string(line))
		if event := string(message.Event); event == "complete" || event == "error" {
			cancel()
		}
	})
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
