package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Reads the lines of a stream with a bufio.Scanner, as many Go readers do: its lines have up to 64 KiB by default.
func scan(url string, print func(id, event, data string)) error {
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "text/event-stream")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		message, _ := io.ReadAll(response.Body)
		return fmt.Errorf("%s: %s", response.Status, message)
	}
	fields := map[string]string{}
	scanner := bufio.NewScanner(response.Body)
	for scanner.Scan() {
		line := scanner.Text()
		if name, value, found := strings.Cut(line, ":"); found {
			fields[name] = strings.TrimPrefix(value, " ")
		} else if line == "" {
			if fields["event"] != "" {
				print(fields["id"], fields["event"], fields["data"])
			}
			fields = map[string]string{}
		}
	}
	return scanner.Err()
}
