package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"framewright/ws/wsnet"
)

// playAll plays all cases of a suite that waits at base: it asks how many there
// are, connects with the library for each, and has the reports written.
func (l library) playAll(ctx context.Context, base string) error {
	var count int
	if err := ask(ctx, base+"/getCaseCount", &count); err != nil {
		return err
	}
	for n := 1; n <= count && ctx.Err() == nil; n++ {
		_ = l.echo(ctx, fmt.Sprintf("%s/runCase?case=%d&agent=%s", base, n, url.QueryEscape(l.name))) // the suite has its own opinion of it
	}
	return ask(ctx, base+"/updateReports?agent="+url.QueryEscape(l.name), nil)
}

func ask(ctx context.Context, url string, v any) error {
	c, err := wsnet.Dial(ctx, url, nil)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	_, answer, err := c.Read(ctx)
	if v == nil {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, v)
}
