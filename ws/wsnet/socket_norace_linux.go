//go:build !race && !386 && !s390x

package wsnet

func raceRead([]byte, int) {}
func raceWrite([]byte)     {}
