package room

import (
	"fmt"
	"time"
)

// MaxRate is the most messages a second that are sent.
const MaxRate = 200

// A Plan is the settings of a room, as a page gives them.
type Plan struct {
	Readers    int     // 2 to 12
	Rate       float64 // messages a second; 0 to 200
	Text       int     // bytes of each; 16 to 1000
	QueueBytes int     // chat.Options.QueueBytes: 16 KiB to 1 MiB
	AgeMs      int     // chat.Options.QueueAge: 1 to 30 s
	WriteMs    int     // wsnet.Options.WriteTimeout: 1 to 30 s
	CloseMs    int     // wsnet.Options.CloseTimeout: 1 to 10 s
	Wire       int     // bytes that the network holds on the way to a reader; 2 to 64 KiB
}

// Default is a room in which a reader that stops is cut after some seconds.
func Default() Plan {
	return Plan{Readers: 5, Rate: 25, Text: 200, QueueBytes: 32 << 10, AgeMs: 20_000, WriteMs: 20_000, CloseMs: 5000, Wire: 8 << 10}
}

// QueueAge is AgeMs.
func (p *Plan) QueueAge() time.Duration { return time.Duration(p.AgeMs) * time.Millisecond }

// WriteTimeout is WriteMs.
func (p *Plan) WriteTimeout() time.Duration { return time.Duration(p.WriteMs) * time.Millisecond }

// CloseTimeout is CloseMs.
func (p *Plan) CloseTimeout() time.Duration { return time.Duration(p.CloseMs) * time.Millisecond }

// A Bound is a setting's name in an address, its range, and where it stands.
type Bound struct {
	Name     string
	Min, Max int
	Unit     string
	Of       *int
}

// Bounds are the settings that are whole numbers.
func (p *Plan) Bounds() []Bound {
	return []Bound{
		{"readers", 2, len(names), "readers", &p.Readers},
		{"text", 16, 1000, "bytes", &p.Text},
		{"queue", 16 << 10, 1 << 20, "bytes", &p.QueueBytes},
		{"age", 1000, 30_000, "ms", &p.AgeMs},
		{"write", 1000, 30_000, "ms", &p.WriteMs},
		{"close", 1000, 10_000, "ms", &p.CloseMs},
		{"wire", 2 << 10, 64 << 10, "bytes", &p.Wire},
	}
}

// names are those of the readers.
var names = [...]string{"Ada", "Barbara", "Charles", "Dennis", "Edsger", "Frances", "Grace", "Hedy", "Ivan", "John", "Katherine", "Leslie"}

// check holds a plan against its bounds.
func (p *Plan) check() error {
	for _, b := range p.Bounds() {
		if *b.Of < b.Min || *b.Of > b.Max {
			return fmt.Errorf("%s: %d, but %d to %d %s are expected", b.Name, *b.Of, b.Min, b.Max, b.Unit)
		}
	}
	if !(p.Rate >= 0 && p.Rate <= MaxRate) {
		return fmt.Errorf("rate: %g, but 0 to %d messages a second are expected", p.Rate, MaxRate)
	}
	return nil
}
