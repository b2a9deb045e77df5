package chat_test

import (
	"testing"

	"framewright/chat"
	"framewright/chat/chattest"
)

func TestMemory(t *testing.T) {
	chattest.TestStore(t, func(*testing.T) chat.Store { return new(chat.Memory) })
}
