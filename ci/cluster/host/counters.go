package host

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// counters are kube-proxy's packet counters: kernel objects of their own, which its rules only refer to.
var counters = []string{"ct_state_invalid_dropped_pkts", "localhost_nps_accepted_pkts"}

// From linux/netfilter/nfnetlink_acct.h, which Go has no constants for.
const (
	accountDelete = 3
	accountName   = 1
)

// RemoveCounters removes kube-proxy's packet counters, which `kube-proxy --cleanup` leaves.
func RemoveCounters() error {
	for _, name := range counters {
		request := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_ACCT<<8|accountDelete, unix.NLM_F_ACK)
		request.AddData(&nl.Nfgenmsg{NfgenFamily: unix.AF_UNSPEC, Version: nl.NFNETLINK_V0})
		request.AddData(nl.NewRtAttr(accountName, nl.ZeroTerminated(name)))
		_, err := request.Execute(unix.NETLINK_NETFILTER, 0)
		// EINVAL, EOPNOTSUPP: a kernel that has no such counters at all.
		if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EOPNOTSUPP) {
			return fmt.Errorf("remove packet counter %s: %w", name, err)
		}
	}
	return nil
}
