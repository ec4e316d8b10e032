package send

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// These tests are inside the package because what they show takes minutes, which
// pass at once only where nothing waits on a socket.

// ended is closed when the other side of c has been closed.
func ended(c net.Conn) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(io.Discard, c)
	}()
	return done
}

func isClosed(done <-chan struct{}) bool {
	synctest.Wait()
	select {
	case <-done:
		return true
	default:
		return false
	}
}

func TestIdleConnectionsGrowOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(10)
		at := endpoint{addr: "receiver.example:80"}
		var done []<-chan struct{}
		for range 2 {
			ours, theirs := net.Pipe()
			done = append(done, ended(theirs))
			p.put(newConn(ours, at), 0)
			time.Sleep(20 * time.Second)
		}
		time.Sleep(49 * time.Second) // 89 and 69
		if isClosed(done[0]) || isClosed(done[1]) {
			t.Fatal("closed too early")
		}
		time.Sleep(2 * time.Second)
		if !isClosed(done[0]) || isClosed(done[1]) {
			t.Fatal("the first has been idle for 91 seconds, the second for 71")
		}
		time.Sleep(20 * time.Second)
		if !isClosed(done[1]) || p.take(at) != nil || len(p.idle) != 0 || p.armed {
			t.Fatal("something is left")
		}
	})
}

func TestIdleConnectionsOfAllHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(10)
		var first []<-chan struct{}
		for n := range maxIdle + 3 {
			ours, theirs := net.Pipe()
			done := ended(theirs)
			if n < 4 {
				first = append(first, done)
			}
			p.put(newConn(ours, endpoint{addr: fmt.Sprint(n / 2)}), 0)
			time.Sleep(time.Millisecond)
		}
		for n, done := range first {
			if want := n < 3; isClosed(done) != want {
				t.Errorf("number %d of those that are idle for the longest: closed is %v", n, !want)
			}
		}
		if p.count != maxIdle {
			t.Errorf("%d are idle", p.count)
		}
		p.closeIdle()
		p.closeIdle()
		if !isClosed(first[3]) || p.count != 0 || p.armed {
			t.Error("something is left")
		}
	})
}

// An exchange over a connection that has no socket to look at.
func TestPipesAreLookedAtByReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := endpoint{addr: "receiver.example:80"}
		ours, theirs := net.Pipe()
		unasked := make(chan bool)
		go func() {
			defer theirs.Close()
			r := bufio.NewReader(theirs)
			for range 2 {
				if _, err := http.ReadRequest(r); err != nil {
					return
				}
				_, _ = io.WriteString(theirs, "HTTP/1.1 204 No Content\r\n\r\n")
			}
			<-unasked
			_, _ = io.WriteString(theirs, "HTTP/1.1 408 Request Timeout\r\n\r\n")
		}()
		p := newPool(1)
		c := newConn(ours, at)
		for range 2 {
			a, err := c.exchange(t.Context(), &request{method: http.MethodGet, at: at, host: "receiver.example", target: "/"}, time.Now().Add(time.Minute))
			if err != nil || a.StatusCode != http.StatusNoContent {
				t.Fatal(a, err)
			}
			a.pool = p
			_, whole := readBody(a.Response)
			a.release(whole)
			time.Sleep(time.Minute)
			if c = p.take(at); c == nil {
				t.Fatal("the connection was not kept")
			}
		}
		p.put(c, 0)
		close(unasked)
		if p.take(at) != nil {
			t.Error("a connection on which an answer came is taken")
		}
	})
}
