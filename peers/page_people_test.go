package peers

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"framewright/chat"
	"framewright/chat/plain"
)

// accounts are the names that stand beside the mark of an account, by selector.
const accounts = "[...document.querySelectorAll('%s')].filter(e => e.querySelector('.account[role=img][aria-label=account]')).map(e => e.querySelector('bdi').textContent)"

// testAccounts has the hub in this process: an account comes, and takes its name
// from the guest who sits at the page.
func testAccounts(t *testing.T, s *stage) {
	hub, gate := hubBehindPage(t, s, chat.Options{PresenceGrace: -1})
	ada := s.chats(t, "Ada", gate.url()+"#desk")
	ada.types("as Ada")
	ada.sees("as Ada")
	account, err := hub.Connect(chat.Person{ID: "u17", Name: "Ada", Account: true}, plain.Codec{})
	if err != nil {
		t.Fatal(err)
	}
	defer account.Close(nil)
	if err := account.Join("desk", chat.Cursor{}, ""); err != nil {
		t.Fatal(err)
	}
	ada.until("is told its other name", "document.querySelector('#my-name').textContent === 'Ada-2'")
	ada.until("and why", lines+".some(e => e.matches('.system') && e.textContent.includes('belongs to an account'))")
	ada.want("sees both, and which is which", people, []string{"Ada-2", "Ada"})
	ada.want("by a mark beside the member", fmt.Sprintf(accounts, "#members li"), []string{"Ada"})
	if err := account.Send("desk", "1", "I am Ada"); err != nil {
		t.Fatal(err)
	}
	ada.sees("I am Ada")
	ada.want("and beside the message", fmt.Sprintf(accounts, ".message .from"), []string{"Ada"})
	ada.types("as Ada-2")
	ada.sees("as Ada-2")
	// It comes back by the name that it has now, and the history tells who is who.
	ada.must(chromedp.Reload())
	ada.online()
	ada.until("is the same after a reload", "document.querySelector('#my-name').textContent === 'Ada-2'")
	ada.want("has the history", texts, []string{"as Ada", "I am Ada", "as Ada-2"})
	ada.want("the history has the mark", fmt.Sprintf(accounts, ".message .from"), []string{"Ada"})
}
