//! A raw device that a pod cannot open: whose it is, and who would be let in.

use std::fmt::{self, Display, Formatter};

use crate::knowledge::refusals::Refuser;
use crate::model::check::Check;
use crate::model::command::kubectl;
use crate::model::finding::{Evidence, Fix, Status};
use crate::model::object::ObjectName;
use crate::model::round_trip::PodUser;
use crate::moment::{Advice, Explanation, Subject};
use crate::text::names::safe;

/// A device and a process that could not open it, as the process saw both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Permissions.
    pub mode: u32,
    /// User and group that it belongs to.
    pub owner: (u32, u32),
    /// The user that the process runs as.
    pub user: u32,
    /// Its groups.
    pub groups: Vec<u32>,
}

impl Device {
    /// What a script says of a device: `600 0:0 65534 65534,6`, mode and owner, the process's user and groups; behind
    /// them may stand what opening it gave.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let mode = u32::from_str_radix(words.next()?, 8).ok().filter(|mode| *mode <= 0o7777)?;
        let (user, group) = words.next()?.split_once(':')?;
        let owner = (user.parse().ok()?, group.parse().ok()?);
        let user = words.next()?.parse().ok()?;
        let groups: Result<Vec<u32>, _> = words.next()?.split(',').map(str::parse).collect();
        Some(Self { mode, owner, user, groups: groups.ok()? })
    }

    /// Whether mode and owner let a process read and write it that has no capability.
    const fn is_open_to(&self, is_owner: bool, is_of_group: bool) -> bool {
        let shift = match (is_owner, is_of_group) {
            (true, _) => 6,
            (false, true) => 3,
            (false, false) => 0,
        };
        (self.mode >> shift) & 6 == 6
    }

    /// Whether they let in the process that could not open it.
    fn is_open(&self) -> bool {
        self.is_open_to(self.owner.0 == self.user, self.groups.contains(&self.owner.1))
    }

    /// Whether they would let in root.
    const fn is_open_to_root(&self) -> bool {
        self.is_open_to(self.owner.0 == 0, self.owner.1 == 0)
    }

    fn process(&self) -> String {
        let mut groups: Vec<u32> = self.groups.clone();
        groups.dedup();
        let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
        format!("user {} in {} {}", self.user, if groups.len() == 1 { "group" } else { "groups" }, groups.join(", "))
    }
}

impl Display for Device {
    /// `0600 root:root`. Group numbers other than root's differ from one distribution to the next.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = |id: u32| if id == 0 { "root".to_owned() } else { id.to_string() };
        write!(f, "{:04o} {}:{}", self.mode, name(self.owner.0), name(self.owner.1))
    }
}

/// What the pods of a round trip run as, and why not as something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// What was taken.
    pub user: PodUser,
    /// What was refused before: the refused object, and the API server's text.
    pub refused: Vec<(ObjectName, String)>,
}

impl Admitted {
    /// One line about it; `None` where nothing had to be chosen.
    #[must_use]
    pub fn note(&self, tried: &[PodUser]) -> Option<String> {
        if tried.len() < 2 {
            return None;
        }
        Some(match (self.user, self.who_refuses_root()) {
            (PodUser::Root, _) => "the pods are root without capabilities".to_owned(),
            (PodUser::DiskGroup, who) => format!("the pods are in the group disk and not root{}", because(who)),
            (PodUser::NonRoot, who) => format!("the pods are not root{}", because(who)),
        })
    }

    /// Who refuses pods that run as root.
    fn refuser_of_root(&self) -> Option<Refuser<'_>> {
        self.refusal_of("Pod").map(Refuser::of)
    }

    /// The same in words.
    fn who_refuses_root(&self) -> Option<String> {
        let who = self.refuser_of_root()?;
        Some(match self.refusal_of("Namespace").map(Refuser::of) {
            // Then the namespace has another level, which refuses the pod.
            Some(of_namespace) => format!("{who}, and {of_namespace} refuses a namespace of the level baseline"),
            None => who.to_string(),
        })
    }

    fn refusal_of(&self, kind: &str) -> Option<&str> {
        self.refused.iter().find(|(object, _)| object.kind == kind).map(|(_, message)| message.as_str())
    }
}

fn because(who: Option<String>) -> String {
    who.map(|who| format!(", which {who} refuses")).unwrap_or_default()
}

/// A pod that could not open the device of a claim.
#[derive(Debug, Clone, Copy)]
pub struct Denied<'a> {
    /// The device.
    pub device: &'a Device,
    /// What the pod left: its termination message.
    pub text: &'a str,
    /// The claim.
    pub claim: &'a ObjectName,
    /// The pod.
    pub pod: &'a ObjectName,
    /// What it runs as.
    pub admitted: &'a Admitted,
    /// Whether the run has created the namespace: then it is gone when the fix is read, and no command names it.
    pub own_namespace: bool,
}

/// The result of a pod that could not open its device. It says nothing about the driver or the data.
#[must_use]
pub fn denied(check: &'static Check, subject: &Subject, denied: &Denied<'_>) -> Explanation {
    let Denied { device, text, claim, pod, admitted, own_namespace } = denied;
    let namespace = pod.namespace.as_deref().unwrap_or_default();
    let message = format!(
        "the pod cannot open the device of PersistentVolumeClaim {}: it is {device} on the node, and the pod runs as {}",
        claim.name,
        device.process()
    );
    let refusals = admitted.refused.iter().map(|(object, message)| Evidence {
        kind: object.kind.clone(),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
        path: "dry run".to_owned(),
        value: message.clone(),
    });
    let evidence = Evidence::namespaced(&pod.kind, namespace, &pod.name, "termination message", *text);
    let explanation = Explanation::new(check, Status::Unknown, &message)
        .about(subject)
        .evidence(std::iter::once(evidence).chain(refusals));
    if device.is_open() {
        return explanation
            .cause("mode and owner would let the pod open it; a security module of the node (SELinux, AppArmor) does not, or the device is read-only")
            .fix(Fix::text("Check the audit log of the pod's node, and whether the device is read-only there."))
            .advise(Advice::Again);
    }
    let on_nodes = "set device_ownership_from_security_context = true in the nodes' configuration of containerd or CRI-O, or have their udev give devices to the group disk (6)";
    let Some(who) = admitted.who_refuses_root().filter(|_| device.is_open_to_root()) else {
        return explanation
            .cause("a raw device keeps the owner that it has on its node, and none of the users that the pod may run as is let in")
            .fix(Fix::text(format!("Let pods open it: {on_nodes}.")));
    };
    let by_level = matches!(admitted.refuser_of_root(), Some(Refuser::PodSecurity(_)));
    let elsewhere = if by_level {
        "Use a namespace that allows the Pod Security level baseline, in which the pod runs as root without capabilities"
    } else {
        "Have the pod allowed to run as root without capabilities, for example in another namespace"
    };
    let explanation = explanation.cause(format!("{who} refuses pods that run as root, which could open it"));
    let fix = Fix::text(format!("{elsewhere}. Other workloads that do not run as root need more: {on_nodes}."));
    if by_level && !own_namespace {
        let label = kubectl("label --overwrite namespace")
            .word(safe(namespace, "NAMESPACE"))
            .words("pod-security.kubernetes.io/enforce=baseline");
        explanation.fix(fix.command(label)).advise(Advice::Namespace)
    } else {
        explanation.fix(fix).advise(Advice::Namespace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_says_of_a_device_is_read_and_nothing_else() {
        let device = Device { mode: 0o600, owner: (0, 0), user: 65_534, groups: vec![65_534, 6] };
        assert_eq!(Device::read("600 0:0 65534 65534,6 dd: can't open '/dev/data'"), Some(device.clone()));
        assert_eq!(device.to_string(), "0600 root:root");
        assert_eq!(Device { mode: 0o660, owner: (0, 6), ..device }.to_string(), "0660 root:6");
        for text in
            ["", "600", "? ?:? 1 1", "600 0:0 65534", "600 0:0 x 1", "99999 0:0 1 1", "689 0:0 1 1", "600 0 1 1"]
        {
            assert_eq!(Device::read(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_first_class_that_fits_decides_as_in_the_kernel() {
        let open = |text: &str| Device::read(text).unwrap().is_open();
        assert!(open("600 0:0 0 0") && open("660 0:6 65534 65534,6") && open("666 0:0 65534 65534"));
        assert!(!open("600 0:0 65534 65534,6") && !open("660 0:0 65534 65534,6") && !open("640 0:6 65534 65534,6"));
        // An owner or a member who may not is not helped by what others may.
        assert!(!open("066 0:0 0 0") && !open("606 0:6 65534 6"));
        assert!(Device::read("600 0:0 1 1").unwrap().is_open_to_root());
        assert!(!Device::read("600 107:6 1 1").unwrap().is_open_to_root());
    }
}
