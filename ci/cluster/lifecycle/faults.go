package lifecycle

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"snapready/ci/cluster/apply"
	"snapready/ci/cluster/breaks"
	"snapready/ci/cluster/build"
	"snapready/ci/cluster/objects"
)

// Breaks prints what the break kit offers.
func Breaks(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, each := range breaks.All() {
		fmt.Fprintf(table, "%s\t%s\n", each.Name, each.Description)
	}
	return table.Flush()
}

// Break puts one more fault into the control plane, and returns when it shows.
func (c Cluster) Break(ctx context.Context, name string) error {
	return c.changeBreaks(ctx, "break "+name, func(active []string) ([]string, error) { return breaks.Add(active, name) })
}

// Mend takes one fault out of the control plane again.
func (c Cluster) Mend(ctx context.Context, name string) error {
	return c.changeBreaks(ctx, "mend "+name, func(active []string) ([]string, error) { return breaks.Remove(active, name) })
}

// MendAll returns to the standard objects.
func (c Cluster) MendAll(ctx context.Context) error {
	return c.changeBreaks(ctx, "mend --all", func([]string) ([]string, error) { return nil, nil })
}

func (c Cluster) changeBreaks(ctx context.Context, step string, change func(active []string) ([]string, error)) error {
	api, params, standard, err := c.open(ctx)
	if err != nil {
		return err
	}
	return c.Steps.Do(step, func() (string, error) {
		active, err := breaks.Active(ctx, api)
		if err != nil {
			return "", err
		}
		wanted, err := change(active)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("active: %q", wanted), breaks.Change(ctx, api, params, standard, wanted, nil)
	})
}

// open connects to a cluster that is up.
func (c Cluster) open(ctx context.Context) (*apply.Cluster, objects.Params, []*unstructured.Unstructured, error) {
	api, err := c.connect()
	if err != nil {
		return nil, objects.Params{}, nil, fmt.Errorf("the cluster is not up: %w", err)
	}
	source, err := build.FindSource(ctx)
	if err != nil {
		return nil, objects.Params{}, nil, err
	}
	versions, _, err := build.Builder{Source: source, Layout: c.Layout}.Upstream(ctx)
	if err != nil {
		return nil, objects.Params{}, nil, err
	}
	params, err := c.params(versions)
	if err != nil {
		return nil, objects.Params{}, nil, err
	}
	standard, err := objects.Standard(params)
	return api, params, standard, err
}

// VerifyBreaks breaks and mends each fault in turn, and compares the cluster's objects before and after.
func (c Cluster) VerifyBreaks(ctx context.Context) error {
	api, params, standard, err := c.open(ctx)
	if err != nil {
		return err
	}
	return c.Steps.Do("break --verify", func() (string, error) {
		tell := func(format string, args ...any) { c.Steps.Say(fmt.Sprintf(format, args...)) }
		return fmt.Sprintf("%d breaks change the cluster, and mending undoes each", len(breaks.All())), breaks.Verify(ctx, api, params, standard, tell)
	})
}
