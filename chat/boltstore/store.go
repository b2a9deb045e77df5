// Package boltstore keeps a chat's messages in one file, with bbolt
// (go.etcd.io/bbolt): what was acknowledged survives the process, whatever way
// it ends, and the machine, as far as its disk keeps what it has synced.
//
// Sends that come at the same time share one commit, and so one wait for the
// disk. What the store keeps is bounded by number, age and size. The file does
// not shrink: room that retention frees is used again, and the file stays about
// twice as large as what it holds at most.
//
// A file that is not one of this package's, or that is damaged, is refused and
// left as it is. To find that out, [Open] reads all of it.
package boltstore

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"framewright/chat"
)

// Options of [Open]. A zero limit means its default, a negative one none.
type Options struct {
	MaxMessages int           // kept per room; default 10,000
	MaxAge      time.Duration // of a message; default: no limit
	MaxBytes    int64         // of all messages together, by [chat.Message.Size]; default 1 GiB. Past it the oldest goes
	MaxRooms    int           // remembered; default 100,000. Past it the longest unused is forgotten
	MaxFile     int           // bytes that the file may have; default: no limit. Past it appends fail
	LockTimeout time.Duration // how long to wait for another process that has the file; default 1 s
}

var (
	// ErrForeign: the file is not a store of this package.
	ErrForeign = errors.New("boltstore: not a chat store")
	// ErrDamaged: the file was one, and parts of it are missing or wrong.
	ErrDamaged = errors.New("boltstore: the chat store is damaged")
	// ErrLocked: another process has the file open.
	ErrLocked = errors.New("boltstore: the chat store is in use by another process")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("boltstore: the store is closed")
)

// Store is a [chat.Store] in a file.
type Store struct {
	o  Options
	db *bbolt.DB

	mu      sync.Mutex
	waiting []*request
	closed  bool
	broken  error         // why nothing is stored any more
	wake    chan struct{} // of capacity 1
	over    chan struct{} // closed when the committer is

	// The committer's own, but that others may read rooms under roomsMu.
	epoch   uint64            // of rooms that have no record yet
	rooms   map[string]uint64 // when each was last written to, as a place in bucketOrder
	roomsMu sync.Mutex
	bytes   int64
}

// The buckets. A room's id and all numbers are 8 bytes, big endian, so that
// keys sort as numbers do.
var (
	bucketMeta     = []byte("framewright chat") // keyFormat, keyEpoch, keyTrial
	bucketRooms    = []byte("rooms")            // name → roomRecord
	bucketMessages = []byte("messages")         // room, Seq → record
	bucketIDs      = []byte("ids")              // room, hash of person and id → Seq
	bucketOrder    = []byte("order")            // place → room, Seq, name: all messages, oldest first
	bucketDeleted  = []byte("deleted")          // room, Seq → the room's head when that was done

	allBuckets = [][]byte{bucketMeta, bucketRooms, bucketMessages, bucketIDs, bucketOrder, bucketDeleted}

	keyFormat = []byte("format")
	keyEpoch  = []byte("epoch")
	keyTrial  = []byte("trial")
)

// format is the version of the file's layout.
const format = 1

// Open opens the store in a file, which it creates if there is none; the folder
// must be there. o may be nil. The error wraps [ErrForeign], [ErrDamaged],
// [ErrLocked] or an error of the file system, and names the file.
func Open(path string, o *Options) (*Store, error) {
	s := &Store{wake: make(chan struct{}, 1), over: make(chan struct{}), rooms: make(map[string]uint64)}
	if o != nil {
		s.o = *o
	}
	s.o.MaxMessages = cmp.Or(s.o.MaxMessages, 10_000)
	s.o.MaxBytes = cmp.Or(s.o.MaxBytes, 1<<30)
	s.o.MaxRooms = cmp.Or(s.o.MaxRooms, 100_000)
	s.o.LockTimeout = cmp.Or(s.o.LockTimeout, time.Second)
	if err := s.open(path); err != nil {
		return nil, fmt.Errorf("%w: %s", err, path)
	}
	go s.commit()
	return s, nil
}

func (s *Store) open(path string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return err
		}
	}
	if err := checkFile(path); err != nil {
		return err
	}
	db, err := openBolt(path, s.o)
	if err != nil {
		return err
	}
	s.db = db
	if err := s.load(); err != nil {
		db.Close()
		return err
	}
	removeUnborn(path)
	return nil
}

// newSuffix, and digits, is what create adds to the name of a file that is not
// whole yet.
const newSuffix = ".new-"

// removeUnborn removes what processes have left that were killed in create. The
// caller has the store, so that nobody needs such a file any more: one that is
// being made at this moment will find that the store is there.
func removeUnborn(path string) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return // the store works without
	}
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), filepath.Base(path)+newSuffix)
		if ok && digits != "" && strings.Trim(digits, "0123456789") == "" && e.Type().IsRegular() {
			os.Remove(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
}

// create makes a file that is whole as soon as it has its name: a process that
// is killed meanwhile leaves none behind that would be refused as damaged.
func create(path string) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+newSuffix+"*")
	if err != nil {
		return err
	}
	tmp.Close()
	defer os.Remove(tmp.Name())
	db, err := bbolt.Open(tmp.Name(), 0o600, nil)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range allBuckets {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		meta := tx.Bucket(bucketMeta)
		if err := meta.Put(keyFormat, []byte{format}); err != nil {
			return err
		}
		return meta.Put(keyEpoch, number(chat.NewEpoch()))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	// Not Rename: a file that has come there since is somebody's, who may have
	// removed this one.
	if err := os.Link(tmp.Name(), path); err != nil {
		if _, statErr := os.Stat(path); statErr != nil {
			return err
		}
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a new name in a folder survive the machine. Not every file
// system can.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	d.Sync()
	return d.Close()
}

// openBolt is bbolt.Open for files that may be damaged: bbolt panics at some of
// them, and a page number out of the map is a fault.
func openBolt(path string, o Options) (db *bbolt.DB, err error) {
	var file *os.File
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			file.Close() // and with it the lock
			db, err = nil, fmt.Errorf("%w (%v)", ErrDamaged, v)
		}
	}()
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:      o.LockTimeout,
		FreelistType: bbolt.FreelistMapType,
		MaxSize:      max(o.MaxFile, 0),
		NoStatistics: true,
		OpenFile: func(name string, flag int, mode os.FileMode) (_ *os.File, err error) {
			file, err = os.OpenFile(name, flag&^os.O_CREATE, mode)
			return file, err
		},
	})
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("%w (waited %v, option LockTimeout)", ErrLocked, o.LockTimeout)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return nil, fmt.Errorf("%w (%v)", ErrDamaged, err)
	}
	return nil, err
}

// Close commits what waits and closes the file.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.rouse()
	<-s.over
	return s.db.Close()
}

func (s *Store) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// place is a key: a room's id and a number in it.
func place(room, n uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(make([]byte, 0, 16), room), n)
}
