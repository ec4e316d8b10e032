package api

import (
	"net/http"
	"time"
)

// GET /api/v1/backup sends a consistent copy of all that is stored, for as long
// as it takes.
func (a *API) getBackup(r *request) (answer, error) {
	if a.o.Backup == nil {
		return answer{}, fail(kindNotFound, "this server has no backup to give; back up where it stores its data")
	}
	return answer{stream: func(w http.ResponseWriter) error {
		// Each takes as much space as the store, for as long as its client
		// reads.
		if !a.backingUp.TryLock() {
			return fail(kindConflict, "another backup is being made; try again when it has ended")
		}
		defer a.backingUp.Unlock()
		// The server's limit on writing is for answers of a common size. Where
		// there is no connection to set it on, there is no limit either.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Disposition", `attachment; filename="flaghook.db"`)
		if r.Method == http.MethodHead {
			return nil
		}
		return a.o.Backup(r.Context(), w)
	}}, nil
}
