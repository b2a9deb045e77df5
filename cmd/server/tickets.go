package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"framewright/chat/sio"
)

// ticketKeyName is the file beside the history with the key of the tickets by which
// clients of Socket.IO come back after a restart.
const ticketKeyName = "tickets.key"

// ticketKey returns the key that is kept in the folder of the history, which the caller has
// locked by opening the store, and makes one if there is none. A key that was lost, or taken
// away, costs clients no more than that they connect anew after the next restart.
func ticketKey(folder string) ([]byte, error) {
	name := filepath.Join(folder, ticketKeyName)
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return newTicketKey(name)
	}
	if err != nil {
		return nil, fmt.Errorf("the key of the tickets: %w", err)
	}
	defer f.Close()
	key, err := io.ReadAll(io.LimitReader(f, sio.TicketKey+1))
	if err != nil {
		return nil, fmt.Errorf("the key of the tickets: %w", err)
	}
	if len(key) != sio.TicketKey {
		return nil, fmt.Errorf("%s: expected a key of %d bytes, and nothing else; without the file, another is made", name, sio.TicketKey)
	}
	return key, nil
}

// newTicketKey writes a key to a file that is there whole or not at all.
func newTicketKey(name string) ([]byte, error) {
	key := make([]byte, sio.TicketKey)
	rand.Read(key) // never fails (crypto/rand)

	f, err := os.CreateTemp(filepath.Dir(name), ticketKeyName+"-") // for the user alone
	if err == nil {
		_, err = f.Write(key)
		err = errors.Join(err, f.Sync(), f.Close())
		if err == nil {
			err = os.Rename(f.Name(), name)
		}
		if err != nil {
			os.Remove(f.Name())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the key of the tickets: %w", err)
	}
	return key, nil
}
