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
// A seq numbers events and replays of events in the order of their acceptance,
// and with its ref it names a delivery.
//
//	meta           "format"               → format number of the file
//	               "cipher"               → a known text encrypted, if anything is
//	               "counts"               → how many deliveries are fresh, retry, held
//	subscriptions  id                     → ref, version, subscription as JSON
//	refs           ref                    → id
//	counters       ref                    → counts and times of hooks.Status
//	errors         ref                    → hooks.Status.Errors
//	records        kind, 0, id            → version, data
//	events         seq                    → event, event key, refs it went to, time
//	eventids       event id, 0, scope     → seq, time, number matched, digest
//	replays        seq of event, seq      → replay id, refs it went to, time
//	pruned         seq                    → event key; the event is removed, its id is known
//	fresh          ref, seq               → delivery without an attempt to wait for
//	retry          ref, seq               → delivery that waits for its next attempt
//	due            ref, time, seq         → nothing; when that attempt is due
//	held           ref, seq               → delivery that waits for an earlier one of its lane
//	lanes          ref, lane, seq         → nothing; the unfinished deliveries of a lane
//	dead           ref, seq               → delivery that was given up
//	log            ref, seq               → delivery that is finished otherwise
//	ids            block, delivery id     → ref, seq
//	ages           second                 → how many unfinished ones were accepted then
//	deleted        ref                    → id of a deleted subscription being swept up
//
// A delivery is one record that holds its attempts inline, and it says by the
// bucket it is in how it stands: it moves from fresh to log, or by way of
// retry. So the buckets that every commit touches (fresh, retry, due) hold
// unfinished work only and are a page or two where things go well, and log is
// written once per delivery, at the end of its subscription's stretch. Every
// list of deliveries merges stretches that are in order of seq already.
//
// A lane is what a subscription that asks for order has for each resource, named
// by a hash. The first unfinished delivery of a lane is in fresh or retry, the
// others are in held; when the first is finished, the same transaction moves the
// next to fresh. So claiming knows nothing of order, and is as fast however many
// are held.
//
// An event names the refs that it went to, and its replays theirs: by them its
// deliveries are found, without an index of their own.
//
// Delivery ids are hashes. An index of them all would put each new one on a
// page of its own; so ids is cut into blocks of a few hundred neighbours, of
// which only the last is written to, and finding one by id asks each block,
// newest first. That is rare (somebody asks for one delivery) and costs about
// a microsecond per block; where it is not rare, because many that were listed
// are then changed, the places of those that were listed are remembered.
//
// # Claims
//
// Leases are in memory only: after a restart everything unfinished can be
// claimed at once, and what waits for a retry keeps its time. The memory grows
// with the subscriptions that have work and with the leases, not with the
// deliveries that wait. A subscription without capacity is set aside until it
// is resumed, and costs a claim nothing. What was accepted a moment ago is
// mostly claimed from memory, with its event, by way of a window per subscription
// that holds the first of what it has due; a claim that has to read the file fills
// it with what comes next. All windows together are bounded.
//
// # Safety
//
// A file of up to half a gigabyte is read through when it is opened, and one that
// is damaged is refused and never written to. With [Options.Cipher], what may hold
// secrets (subscriptions, records) is encrypted in the file; deliveries, their
// attempts and events are not.
package bolt
