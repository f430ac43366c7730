// The events of a workflow, and the query that reports them.
package main

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

type data map[string]any

type event struct {
	ID   int       `json:"id"`
	Type string    `json:"type"`
	TS   time.Time `json:"ts"`
	Data data      `json:"data"`
}

type page struct {
	Status string  `json:"status"`
	Events []event `json:"events"`
}

// stream holds the events of one workflow run. An id always names the same event, also after a replay, so the clock is
// that of the workflow.
type stream struct {
	state  string
	events []event
}

// newStream registers the query. Call it before the workflow waits for anything.
func newStream(ctx workflow.Context) (*stream, error) {
	s := &stream{state: "RUNNING"}
	info := workflow.GetInfo(ctx)
	s.emit(ctx, "workflow_start", data{
		"workflowId":   info.WorkflowExecution.ID,
		"workflowType": info.WorkflowType.Name,
		"runId":        info.WorkflowExecution.RunID,
	})
	return s, workflow.SetQueryHandler(ctx, "getStreamState", s.since)
}

func (s *stream) emit(ctx workflow.Context, eventType string, d data) {
	s.events = append(s.events, event{len(s.events) + 1, eventType, workflow.Now(ctx).UTC(), d})
}

func (s *stream) status(ctx workflow.Context, step string) {
	s.emit(ctx, "workflow_status", data{"status": s.state, "step": step})
}

func (s *stream) complete(ctx workflow.Context, result any) {
	s.state = "SUCCESS"
	s.emit(ctx, "complete", data{"result": result})
}

// since is the query: the events after the first `count` ones.
func (s *stream) since(count int) (page, error) {
	return page{s.state, s.events[min(max(count, 0), len(s.events)):]}, nil
}
