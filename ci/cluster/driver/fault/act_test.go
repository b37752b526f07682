package fault

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestHangEndsWithItsCaller(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	err := Fault{Kind: Hang, Text: "restore=hang"}.Act(ctx, "create volume v", time.Time{})
	if status.Code(err) != codes.DeadlineExceeded || !strings.Contains(err.Error(), "restore=hang") {
		t.Error(err)
	}
	if ctx.Err() == nil {
		t.Error("it did not hang")
	}
}

func TestSlowCountsFromTheFirstCall(t *testing.T) {
	f := Fault{Kind: Slow, Delay: time.Hour}
	if err := f.Act(t.Context(), "create volume v", time.Now().Add(-time.Hour)); err != nil {
		t.Errorf("an hour after the first call: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if err := f.Act(ctx, "create volume v", time.Now()); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("first call: %v", err)
	}
	f.Delay = 40 * time.Millisecond
	start := time.Now()
	if err := f.Act(t.Context(), "create volume v", start); err != nil || time.Since(start) < f.Delay {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
}

func TestErrorNamesItsReason(t *testing.T) {
	err := Fault{Kind: Error, Code: codes.ResourceExhausted, Text: "provision=error:ResourceExhausted"}.Act(t.Context(), "create volume v", time.Time{})
	if status.Code(err) != codes.ResourceExhausted || !strings.Contains(err.Error(), "create volume v") || !strings.Contains(err.Error(), "provision=error:ResourceExhausted") {
		t.Error(err)
	}
}

func TestErrorSaysItsMessageToTheLetter(t *testing.T) {
	for _, text := range []string{"", "two\nlines, \x1b[31mred\x1b[0m", "rpc error: code = NotFound desc = inner"} {
		err := Fault{Kind: Error, Code: codes.Internal, Message: &text}.Act(t.Context(), "create volume v", time.Time{})
		if s, is := status.FromError(err); !is || s.Code() != codes.Internal || s.Message() != text {
			t.Errorf("%q became %v", text, err)
		}
	}
}

func TestOtherFaultsDoNotAct(t *testing.T) {
	for _, kind := range []Kind{"", OK, Empty, NeverReady, Leak} {
		if err := (Fault{Kind: kind}).Act(t.Context(), "x", time.Time{}); err != nil {
			t.Errorf("%q: %v", kind, err)
		}
	}
}
