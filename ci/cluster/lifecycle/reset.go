package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"snapready/ci/cluster/host"
	"snapready/ci/cluster/reset"
)

// unstageLimit is how long the kubelets may take to release the volumes of pods that are gone.
const unstageLimit = 5 * time.Second

// Reset empties the cluster: every break is mended, and what tests left is removed, volumes included.
func (c Cluster) Reset(ctx context.Context) error {
	api, _, standard, err := c.open(ctx)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(c.Layout.Baseline())
	if err != nil {
		return fmt.Errorf("the cluster has not come up whole yet; `up` first: %w", err)
	}
	var baseline reset.Baseline
	if err := json.Unmarshal(data, &baseline); err != nil {
		return err
	}
	return c.Steps.Do("reset", func() (string, error) {
		result, err := reset.Run(ctx, api, baseline, standard, reset.Hooks{NoVolumesLeft: c.wipeVolumes})
		return fmt.Sprintf("%d objects removed, %d of them by force", len(result.Removed), len(result.Forced)), err
	})
}

// wipeVolumes removes the data of volumes that no object stands for any more. The kubelets release a volume a moment
// after its pod is gone; a volume that they keep is taken from them.
func (c Cluster) wipeVolumes(ctx context.Context) error {
	deadline := time.Now().Add(unstageLimit)
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		loops, err := host.LoopsBelow(c.Layout.Volumes())
		if err != nil {
			return err
		}
		if len(loops) == 0 || time.Now().After(deadline) {
			tick.Stop()
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	if err := host.DetachLoopsBelow(c.Layout.Volumes()); err != nil {
		return err
	}
	contents, err := filepath.Glob(filepath.Join(c.Layout.Volumes(), "*", "*"))
	if err != nil {
		return err
	}
	for _, each := range contents {
		if err := os.RemoveAll(each); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
