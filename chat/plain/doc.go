// Package plain is the chat's native wire protocol: JSON in WebSocket text
// messages. PROTOCOL.md, beside this file, is all that a client's author needs;
// a test replays its transcript.
package plain
