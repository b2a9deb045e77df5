package boltstore

import (
	"path/filepath"
	"syscall"
	"testing"
)

// A full disk is an error of the append that met it; what was acknowledged
// before stays, and later appends succeed once there is room.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skip("a small file system of its own cannot be mounted here: ", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	fill(t, filepath.Join(dir, "chat.db"), nil, func() {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
			t.Fatal(err)
		}
	})
}
