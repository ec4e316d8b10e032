// Package bolt keeps subscriptions, events and deliveries in one bbolt file:
// it is the [hooks.Store] and the [hooks.Queue] of a single machine.
//
// # Writing
//
// One goroutine writes. Requests to write queue on a bounded channel; as soon
// as one commit ends, the writer takes all that has gathered meanwhile, makes
// one transaction of it, and answers everybody. So the cost of the two fsyncs
// of a commit is shared by however many callers there are, and a lone caller
// waits for nobody. A request that is refused (an event id that is taken, a
// stale version) changes nothing and fails alone.
//
// A full disk fails the requests of that commit with [hooks.ErrUnavailable]
// and leaves the DB usable. After any other failed commit, a failed fsync above
// all, nobody can say what the disk holds: the DB fails for good ([DB.Failed],
// [DB.Err]) and has to be opened again.
//
// # Layout
//
// All integers in keys are big-endian. A ref is a number that stands for a
// subscription; it is never used twice, so what a deleted subscription left
// behind can be swept up later without touching its successor of the same id.
// A seq numbers the events in the order of their acceptance, and with its ref
// it names a delivery.
//
//	meta           "format"            → format number of the file
//	subscriptions  id                  → ref, subscription as JSON
//	refs           ref                 → id
//	counters       ref                 → counts and times of hooks.Status
//	errors         ref                 → hooks.Status.Errors
//	events         seq                 → matched, digest, event
//	eventids       event id            → seq
//	fresh          ref, seq            → delivery without an attempt to wait for
//	retry          ref, seq            → delivery that waits for its next attempt
//	due            ref, time, seq      → nothing; when that attempt is due
//	log            ref, seq            → finished delivery
//	ids            block, delivery id  → ref, seq
//	deleted        ref                 → id of a deleted subscription being swept up
//
// A delivery is one record that holds its attempts inline, and it says by the
// bucket it is in how it stands: it moves from fresh to log, or by way of
// retry. So the buckets that every commit touches (fresh, retry, due) hold
// unfinished work only and are a page or two where things go well, and log is
// written once per delivery, at the end of its subscription's stretch. Every
// list of deliveries merges three stretches that are in order of seq already.
//
// Delivery ids are hashes. An index of them all would put each new one on a
// page of its own; so ids is cut into blocks of a few hundred neighbours, of
// which only the last is written to, and finding one by id asks each block,
// newest first. That is rare (somebody asks for one delivery) and costs about
// a microsecond per block.
//
// Events are kept, also those that went to nobody. What is old lies at the front
// of events and of each subscription's stretch of log; a record names its block,
// so what it has in ids is found from it.
//
// # Claims
//
// Leases are in memory only: after a restart everything unfinished can be
// claimed at once, and what waits for a retry keeps its time. The memory grows
// with the subscriptions that have work and with the leases, not with the
// deliveries that wait.
package bolt
