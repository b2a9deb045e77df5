package main

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"framewright/chat"
)

// hubStats shows what the hub counts. Before there is a hub it shows nothing.
type hubStats struct{ hub *atomic.Pointer[chat.Hub] }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	descSessions   = desc("framewright_sessions", "Chat sessions: connections that have said who they are.")
	descPeople     = desc("framewright_people", "People with a session, or within the grace after their last.")
	descRooms      = desc("framewright_rooms", "Rooms with somebody in them.")
	descQueueBytes = desc("framewright_queue_bytes", "Bytes that wait for slow connections, over all of them.")

	descSessionsTotal  = desc("framewright_sessions_total", "Sessions that were admitted.")
	descEnded          = desc("framewright_sessions_ended_total", "Sessions that are over, by reason; gone: the client went by itself.", "reason")
	descMessages       = desc("framewright_messages_total", "Chat messages that were stored.")
	descMessageBytes   = desc("framewright_message_bytes_total", "Bytes of the texts of stored messages.")
	descRepeated       = desc("framewright_messages_repeated_total", "Sends that had been stored before: acknowledged again, not stored again.")
	descPrivate        = desc("framewright_private_messages_total", "Messages from one person to another.")
	descDelivered      = desc("framewright_deliveries_total", "Events put on queues, counted once for each receiver.")
	descDeliveredBytes = desc("framewright_delivered_bytes_total", "Bytes of the events put on queues.")
	descDrops          = desc("framewright_drops_total", "What slow readers did not get, by reason; volatile: an event such as typing, slow: their connection.", "reason")
	descJoins          = desc("framewright_joins_total", "Rooms joined for the first time, without a cursor.")
	descRecoveries     = desc("framewright_recoveries_total", "Rooms joined with a cursor, by result; recovered: exactly what was missed, lost: the latest history instead.", "result")
	descRefusals       = desc("framewright_refusals_total", "Requests of clients that were refused, by code.", "code")
	descStoreFailures  = desc("framewright_store_failures_total", "Failures of the store.")
)

// endReasons are what [chat.EndReason] may say.
var endReasons = []string{"expired", "flood", "gone", "kicked", "lost", "panic", "restart", "shutdown", "slow", "store"}

// Describe implements [prometheus.Collector].
func (h *hubStats) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descSessions, descPeople, descRooms, descQueueBytes, descSessionsTotal, descEnded, descMessages, descMessageBytes, descRepeated,
		descPrivate, descDelivered, descDeliveredBytes, descDrops, descJoins, descRecoveries, descRefusals, descStoreFailures,
	} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (h *hubStats) Collect(ch chan<- prometheus.Metric) {
	hub := h.hub.Load()
	if hub == nil {
		return
	}
	s := hub.Stats()
	ch <- gauge(descSessions, s.Sessions)
	ch <- gauge(descPeople, s.People)
	ch <- gauge(descRooms, s.Rooms)
	ch <- gauge(descQueueBytes, s.QueueBytes)
	ch <- counter(descSessionsTotal, s.Connected)
	for _, reason := range endReasons {
		ch <- counter(descEnded, s.Ended[reason], reason)
	}
	ch <- counter(descMessages, s.Messages)
	ch <- counter(descMessageBytes, s.MessageBytes)
	ch <- counter(descRepeated, s.Duplicates)
	ch <- counter(descPrivate, s.Privates)
	ch <- counter(descDelivered, s.Delivered)
	ch <- counter(descDeliveredBytes, s.DeliveredSize)
	ch <- counter(descDrops, s.Dropped, "volatile")
	ch <- counter(descDrops, s.Ended["slow"], "slow")
	ch <- counter(descJoins, s.Joins)
	ch <- counter(descRecoveries, s.Recovered, "recovered")
	ch <- counter(descRecoveries, s.NotRecovered, "lost")
	for code, n := range s.Refused {
		ch <- counter(descRefusals, n, string(code))
	}
	ch <- counter(descStoreFailures, s.StoreFailures)
}
