package apply

import (
	"errors"
	"sync"
)

// requests is how many requests are under way at once.
const requests = 16

// InParallel calls do for every item, some at a time, and reports all errors.
func InParallel[T any](items []T, do func(T) error) error {
	failures := make([]error, len(items))
	slots := make(chan struct{}, requests)
	var group sync.WaitGroup
	for index, item := range items {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			failures[index] = do(item)
		})
	}
	group.Wait()
	return errors.Join(failures...)
}
