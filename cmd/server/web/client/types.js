// What the client takes, tells and hears, as types. No page loads this file: it
// is for the comments of the other modules, which a type checker reads.

/**
 * @typedef {{ id: string, name: string, account?: boolean }} Person  account: the name is vouched for
 *
 * @typedef {{ cursor: string, time: string, from: Person, id: string, text: string }} Stored  a message as a room keeps it
 * @typedef {Stored & { room: string, mine: boolean }} Message
 * @typedef {{ from: Person, to: Person, id: string, text: string, time: string, mine: boolean }} Private
 *
 * @typedef {"connecting" | "online" | "waiting" | "refused" | "stopped"} State  of the connection, see STATES
 * @typedef {{ state: State, retryIn?: number, reason?: string, code?: string | number }} StateChange
 *
 * @typedef {"sending" | "sent" | "failed" | "discarded"} DeliveryState
 * @typedef {{ id: string, room?: string, to?: Person, text: string, time: string, state: DeliveryState, reason?: string }} Delivery
 *
 * @typedef {{ sent: boolean, text: string, bytes: number, extensions: string, time: Date }} Frame
 */

// What the server says, by type: chat/plain/PROTOCOL.md.

/**
 * @typedef {{ type: "welcome", you: Person, text: string, time: string, maxText: number, expires?: string, expiresIn?: number }} Welcome
 * @typedef {{ type: "renamed", you: Person, was: string, text: string }} Renamed
 * @typedef {{ type: "joined", id?: string, room: string, cursor: string, recovered: boolean, messages: Stored[], deleted?: string[], members: Person[], people: number }} Joined
 * @typedef {Stored & { type: "message", room: string }} Said
 * @typedef {{ type: "private", from: Person, to: Person, id: string, text: string, time: string }} SaidInPrivate
 * @typedef {{ type: "ack", id: string, room?: string, cursor?: string, time?: string }} Ack
 * @typedef {{ type: "history", id?: string, room: string, messages: Stored[], more: boolean }} History
 * @typedef {{ type: "deleted", room: string, cursor: string }} Deleted
 * @typedef {{ type: "left", id?: string, room: string, reason?: string }} Left
 * @typedef {{ type: "presence", room: string, who: Person, here: boolean, was?: string, people: number, time: string }} Presence
 * @typedef {{ type: "typing", room: string, who: Person }} Typing
 * @typedef {{ type: "muted", room?: string, until: string, retry: number }} Muted
 * @typedef {{ type: "refreshed", id?: string, expires?: string, expiresIn?: number }} Refreshed
 * @typedef {{ type: "pong", id?: string, time: string }} Pong
 * @typedef {{ type: "notice", room?: string, text: string }} Notice
 * @typedef {{ type: "restart", retry: number }} Restart
 * @typedef {{ type: "error", id?: string, code: string, text: string, retry?: number }} Refusal
 *
 * @typedef {Welcome | Renamed | Joined | Said | SaidInPrivate | Ack | History | Deleted | Left | Presence | Typing | Muted |
 *   Refreshed | Pong | Notice | Restart | Refusal} ServerEvent
 *
 * @typedef {{ type: string, id?: string, room?: string, [field: string]: unknown }} Request  to the server
 */

/**
 * What a listener gets, by the event's name.
 *
 * @typedef {object} Events
 * @property {StateChange} state
 * @property {Renamed} renamed
 * @property {Welcome} welcome
 * @property {Omit<Joined, "messages"> & { messages: Message[], reset: boolean }} joined
 * @property {Message} message
 * @property {Private} private
 * @property {Delivery} delivery
 * @property {Presence} presence
 * @property {Typing} typing
 * @property {Deleted} deleted
 * @property {Muted} muted
 * @property {Notice} notice
 * @property {{ room: string, reason: string }} left
 * @property {Refusal} error
 * @property {Frame} frame
 */

export {};
