// Package lifecycle brings the cluster up, takes it down, empties it, and says how it is.
package lifecycle

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Steps prints one line for every step that ends, with the time that it took.
type Steps struct {
	out   io.Writer
	begin time.Time
	lock  sync.Mutex
}

// NewSteps starts the clock.
func NewSteps(out io.Writer) *Steps {
	return &Steps{out: out, begin: time.Now()}
}

// Do runs a step. What it returns as text is shown behind its name.
func (s *Steps) Do(name string, step func() (string, error)) error {
	begin := time.Now()
	detail, err := step()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	s.print(name, time.Since(begin), detail)
	return nil
}

// Done prints the closing line with the time of everything.
func (s *Steps) Done(name, detail string) {
	s.print(name, time.Since(s.begin), detail)
}

func (s *Steps) print(name string, took time.Duration, detail string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	fmt.Fprintf(s.out, "%6.1fs  %-24s %s\n", took.Seconds(), name, detail)
}

// Say prints a line about a step that goes on.
func (s *Steps) Say(text string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	fmt.Fprintf(s.out, "         %s\n", text)
}
