package component

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"snapready/ci/cluster/layout"
	"snapready/ci/cluster/process"
)

// readyLimit is generous: a component that needs longer than this on two busy cores is broken.
const readyLimit = 90 * time.Second

// Start runs the component, unless it runs already as it should, and waits until it is ready.
// It says whether it had to start it. The error of one that does not come up ends with its last log lines.
func (c Component) Start(ctx context.Context, table process.Table) (bool, error) {
	before, alive := table.Living(c.Name)
	record, err := table.Ensure(ctx, c.Spec)
	if err != nil {
		return false, err
	}
	started := !alive || before.Pid != record.Pid
	deadline := time.Now().Add(readyLimit)
	// A process gives no sign of readiness but its answers, so they are asked for.
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		wrong := c.probe()
		if wrong == nil {
			tick.Stop()
			return started, nil
		}
		switch {
		case ctx.Err() != nil:
			return started, ctx.Err()
		case !record.Alive():
			return started, fmt.Errorf("%s ended; its log %s ends with:\n%s", c.Name, c.Log, process.Tail(c.Log, 15))
		case time.Now().After(deadline):
			return started, fmt.Errorf("%s is not ready after %s: %w; its log %s ends with:\n%s", c.Name, readyLimit, wrong, c.Log, process.Tail(c.Log, 15))
		}
		<-tick.C
	}
}

// Probe asks once whether the component is ready.
func (c Component) Probe() error { return c.probe() }

// insecure accepts the certificates that controller-manager and scheduler make for themselves in memory.
var insecure = &http.Client{
	Timeout:   2 * time.Second,
	Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
}

func httpProbe(url string) func() error {
	return func() error { return get(insecure, url) }
}

func get(client *http.Client, url string) error {
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s: %s", url, response.Status, strings.TrimSpace(string(body)))
	}
	return nil
}

// apiServerProbe asks as the administrator, because /readyz needs a right.
func apiServerProbe(l layout.Layout) func() error {
	var client *http.Client
	return func() error {
		if client == nil {
			configuration, err := ClientConfig(l)
			if err != nil {
				return err
			}
			configuration.Timeout = 2 * time.Second
			if client, err = rest.HTTPClientFor(configuration); err != nil {
				return err
			}
		}
		return get(client, Server()+"/readyz")
	}
}

// ClientConfig is the administrator's, without client-side throttling: this cluster is there to be hurried.
func ClientConfig(l layout.Layout) (*rest.Config, error) {
	configuration, err := clientcmd.BuildConfigFromFlags("", l.Kubeconfig())
	if err != nil {
		return nil, err
	}
	configuration.QPS = -1
	return configuration, nil
}
