package fault

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Act hangs, delays or fails the operation if the fault says so. A delay counts
// from when the operation was first asked for: callers give up and ask again.
func (f Fault) Act(ctx context.Context, operation string, firstAsked time.Time) error {
	switch f.Kind {
	case Hang:
		<-ctx.Done()
		return f.gaveUp(operation)
	case Slow:
		select {
		case <-ctx.Done():
			return f.gaveUp(operation)
		case <-time.After(time.Until(firstAsked.Add(f.Delay))):
		}
	case Error:
		if f.Message != nil {
			return status.Error(f.Code, *f.Message)
		}
		return status.Errorf(f.Code, "failed to %s: the storage answered %s (class parameter %s)", operation, f.Code, f.Text)
	}
	return nil
}

func (f Fault) gaveUp(operation string) error {
	return status.Errorf(codes.DeadlineExceeded, "failed to %s: the storage did not answer in time (class parameter %s)", operation, f.Text)
}
