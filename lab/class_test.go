package lab

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
)

// A class of thirty on one machine: each page watches its own wire and sends 20 messages a
// second, for five seconds. CPU is that of this process, pupils and server together:
//
//	go test -run '^$' -bench Class -benchtime 1x ./lab
func BenchmarkClass(b *testing.B) {
	const pupils, perSecond, seconds = 30, 20, 5
	for b.Loop() {
		l := New(&Options{})
		s := httptest.NewServer(l)
		ctx, cancel := context.WithCancel(context.Background())
		var facts, gaps atomic.Int64
		var class sync.WaitGroup
		before := cpu()
		for i := range pupils {
			secret := fmt.Sprintf("%032x", i)
			watching := make(chan struct{})
			class.Go(func() {
				req, _ := http.NewRequestWithContext(ctx, "GET", s.URL+"/lab/facts?secret="+secret, nil)
				resp, err := http.DefaultClient.Do(req)
				close(watching)
				if err != nil {
					b.Error(err)
					return
				}
				defer resp.Body.Close()
				for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
					switch {
					case strings.HasPrefix(lines.Text(), "id: "):
						facts.Add(1)
					case strings.HasPrefix(lines.Text(), `data: {"kind":"gap"`):
						gaps.Add(1)
					}
				}
			})
			<-watching
			class.Go(func() {
				c, err := wsnet.Dial(ctx, "ws"+strings.TrimPrefix(s.URL, "http")+"/lab/echo?lab="+secret, nil)
				if err != nil {
					b.Error(err)
					return
				}
				defer c.CloseNow()
				tick := time.NewTicker(time.Second / perSecond)
				defer tick.Stop()
				for range perSecond * seconds {
					<-tick.C
					c.Write(ctx, ws.OpText, []byte("Hello from a pupil"))
					if _, _, err := c.Read(ctx); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		time.AfterFunc((seconds+1)*time.Second, cancel)
		class.Wait()
		b.ReportMetric((cpu()-before)/seconds, "cores")
		b.ReportMetric(float64(facts.Load()), "facts")
		b.ReportMetric(float64(gaps.Load()), "gaps")
		l.Close(context.Background())
		s.Close()
	}
}

// cpu is the processor time of this process so far, in seconds.
func cpu() float64 {
	runtime.GC() // when these are counted
	sample := []metrics.Sample{{Name: "/cpu/classes/total:cpu-seconds"}, {Name: "/cpu/classes/idle:cpu-seconds"}}
	metrics.Read(sample)
	return sample[0].Value.Float64() - sample[1].Value.Float64()
}
