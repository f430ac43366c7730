// A Temporal worker in Go whose workflow streams itself: it responds to the query `getStreamState`.
//
//	go run .        serves the task queue `digests-go` until it is stopped
//
// The address of Temporal is TEMPORAL_ADDRESS, by default 127.0.0.1:7233.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

func research(ctx context.Context, topic string) (string, error) {
	time.Sleep(time.Second)
	return topic + " have six legs", ctx.Err()
}

func digest(ctx workflow.Context, topic string) (string, error) {
	stream, err := newStream(ctx)
	if err != nil {
		return "", err
	}
	stream.status(ctx, "researching")
	stream.emit(ctx, "task_start", data{"taskId": "research"})
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	var fact string
	if err := workflow.ExecuteActivity(ctx, research, topic).Get(ctx, &fact); err != nil {
		return "", err // The end comes from Temporal.
	}
	stream.emit(ctx, "task_status", data{"taskId": "research", "status": "SUCCESS"})
	stream.complete(ctx, fact)
	return fact, nil
}

func main() {
	taskQueue := cmp.Or(os.Getenv("TASK_QUEUE"), "digests-go")
	options := client.Options{HostPort: cmp.Or(os.Getenv("TEMPORAL_ADDRESS"), "127.0.0.1:7233")}
	temporal, err := client.Dial(options)
	if err != nil {
		log.Fatalln(err)
	}
	defer temporal.Close()
	w := worker.New(temporal, taskQueue, worker.Options{})
	w.RegisterWorkflowWithOptions(digest, workflow.RegisterOptions{Name: "digest"})
	w.RegisterActivity(research)
	fmt.Println("polling", taskQueue)
	if err := w.Run(worker.InterruptCh()); err != nil {
		log.Fatalln(err)
	}
}
