// Reads a stream in the way that is named, and prints each message as a line of JSON. Exits with 0 if the reader returns
// without an error.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/r3labs/sse/v2"
)

func main() {
	read := map[string]func(string, func(id, event, data string)) error{"r3labs": subscribe, "scanner": scan}[os.Args[1]]
	err := read(os.Args[2], func(id, event, data string) {
		line, _ := json.Marshal(map[string]string{"id": id, "event": event, "data": data})
		fmt.Println(string(line))
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Subscribes with r3labs/sse, as its documentation shows it.
func subscribe(url string, print func(id, event, data string)) error {
	ctx, cancel := context.WithCancel(context.Background())
	err := sse.NewClient(url).SubscribeRawWithContext(ctx, func(message *sse.Event) {
		event := string(message.Event)
		print(string(message.ID), event, string(message.Data))
		if event == "complete" || event == "error" {
			cancel()
		}
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}
