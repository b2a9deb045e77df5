package wsnet

import (
	"strconv"
	"testing"
	"unsafe"
)

// A Conn fits the allocator's class of 1,024 bytes, of which 8 are its own. A
// field more costs every connection that waits an eighth of a KiB.
func TestConnSize(t *testing.T) {
	if strconv.IntSize == 64 && unsafe.Sizeof(Conn{}) > 1024-8 {
		t.Errorf("a Conn has %d bytes, want at most %d", unsafe.Sizeof(Conn{}), 1024-8)
	}
}
