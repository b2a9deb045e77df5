//go:build !race && !386 && !s390x

package ws

func raceRead([]byte, int, error) {}
func raceWrite([]byte)            {}
