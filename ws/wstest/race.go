package wstest

import (
	"runtime/debug"
	"slices"
)

// RaceEnabled reports whether the test was built with the race detector, which makes
// memory, allocations and a sync.Pool's behaviour say nothing.
func RaceEnabled() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
