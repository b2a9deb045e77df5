package wsspec_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"

	"framewright/autobahn/wsspec"
	"framewright/ws/wsnet"
)

// A handler of net/http is tested behind httptest's server. In a test of your own,
// wsspec.Run(t, url, nil) makes each case a subtest.
func ExamplePlayAll() {
	h := wsnet.Handler(func(ctx context.Context, c *wsnet.Conn) error {
		for {
			op, msg, err := c.Read(ctx)
			if err != nil {
				return err
			}
			if err := c.Write(ctx, op, msg); err != nil {
				return err
			}
		}
	})
	s := httptest.NewServer(h)
	defer s.Close()

	ctx := context.Background()
	st, err := wsspec.NewServerTest("ws"+strings.TrimPrefix(s.URL, "http"), wsspec.Settings{}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := st.Preflight(ctx); err != nil {
		fmt.Println(err) // "nobody listens at ...", "... does not echo"
		return
	}
	cases, err := wsspec.Select(wsspec.Cases(), "2.*,§5.4")
	if err != nil {
		fmt.Println(err)
		return
	}
	failed := 0
	for r := range wsspec.PlayAll(ctx, st, cases, wsspec.Pace{}) {
		if r.Outcome == wsspec.Failed {
			failed++
			fmt.Println(r.Case.ID, r.Case.Title, r.Expected, r.Actual)
		}
	}
	fmt.Println(failed, "failed")
	// Output: 0 failed
}
