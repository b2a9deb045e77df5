//go:build race

package traffic_test

const raceDetector = true
