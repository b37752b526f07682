package host

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

func ip(ctx context.Context, arguments ...string) (string, error) {
	output, err := exec.CommandContext(ctx, "ip", arguments...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ip %s: %w: %s", strings.Join(arguments, " "), err, strings.TrimSpace(string(output)))
	}
	return string(output), nil
}

// HasLink says whether a network interface of that name exists.
func HasLink(ctx context.Context, name string) bool {
	_, err := ip(ctx, "link", "show", "dev", name)
	return err == nil
}

// CreateBridge makes a bridge that holds an address; one that exists keeps its ports.
func CreateBridge(ctx context.Context, name, address string) error {
	if !HasLink(ctx, name) {
		if _, err := ip(ctx, "link", "add", name, "type", "bridge"); err != nil {
			return err
		}
	}
	if _, err := ip(ctx, "address", "replace", address+"/24", "dev", name); err != nil {
		return err
	}
	_, err := ip(ctx, "link", "set", name, "up")
	return err
}

// RemoveBridge removes a bridge and the veths in it, whose other ends are in the pods.
func RemoveBridge(ctx context.Context, name string) error {
	if !HasLink(ctx, name) {
		return nil
	}
	ports, err := ip(ctx, "-o", "link", "show", "master", name)
	if err != nil {
		return err
	}
	for line := range strings.Lines(ports) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		port, _, _ := strings.Cut(strings.TrimSuffix(fields[1], ":"), "@")
		// It goes by itself with its pod's network namespace, perhaps just now.
		if _, err := ip(ctx, "link", "delete", port); err != nil && HasLink(ctx, port) {
			return err
		}
	}
	_, err = ip(ctx, "link", "delete", name)
	return err
}

// RemoveChains removes the iptables chains of kube-proxy and of the CNI plugins, and the rules that jump to them.
func RemoveChains(ctx context.Context) error {
	for _, family := range []string{"iptables", "ip6tables"} {
		for _, table := range []string{"filter", "nat", "mangle"} {
			// A kernel or a machine without the family or the table has nothing to remove.
			saved, err := exec.CommandContext(ctx, family+"-save", "-t", table).Output()
			if err != nil {
				continue
			}
			script := removal(table, string(saved))
			if script == "" {
				continue
			}
			restore := exec.CommandContext(ctx, family+"-restore", "--noflush")
			restore.Stdin = strings.NewReader(script)
			if output, err := restore.CombinedOutput(); err != nil {
				return fmt.Errorf("%s-restore of table %s: %w: %s", family, table, err, strings.TrimSpace(string(output)))
			}
		}
	}
	return nil
}

// removal turns the dump of a table into the script that removes the cluster's part of it.
func removal(table, saved string) string {
	var flush, unlink, remove strings.Builder
	for line := range strings.Lines(saved) {
		line = strings.TrimSpace(line)
		if rest, isChain := strings.CutPrefix(line, ":"); isChain {
			chain, _, _ := strings.Cut(rest, " ")
			if ours(chain) {
				// Naming a chain in a restore script flushes it.
				fmt.Fprintf(&flush, ":%s - [0:0]\n", chain)
				fmt.Fprintf(&remove, "-X %s\n", chain)
			}
			continue
		}
		rule, isRule := strings.CutPrefix(line, "-A ")
		if !isRule {
			continue
		}
		chain, _, _ := strings.Cut(rule, " ")
		if !ours(chain) && jumpsToOurs(rule) {
			fmt.Fprintf(&unlink, "-D %s\n", rule)
		}
	}
	if flush.Len() == 0 && unlink.Len() == 0 {
		return ""
	}
	return "*" + table + "\n" + flush.String() + unlink.String() + remove.String() + "COMMIT\n"
}

func ours(chain string) bool {
	return strings.HasPrefix(chain, "KUBE-") || strings.HasPrefix(chain, "CNI-")
}

func jumpsToOurs(rule string) bool {
	fields := strings.Fields(rule)
	for index, field := range fields {
		if (field == "-j" || field == "-g") && index+1 < len(fields) && ours(fields[index+1]) {
			return true
		}
	}
	return false
}
