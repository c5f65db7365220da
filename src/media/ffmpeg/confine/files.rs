//! Landlock: which files the program may reach.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, LandlockStatus, PathBeneath, PathFd,
    Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
};

/// The newest interface that is asked for; older kernels give what they have.
const NEWEST: ABI = ABI::V7;
/// Trees that programs and libraries are read and run from.
const RUN_BELOW: [&str; 5] = ["/usr", "/lib", "/lib64", "/bin", "/sbin"];
/// What the loader of programs reads.
const LOADER: [&str; 4] = ["/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives"];

/// What may be reached besides the system's programs.
pub(super) struct Allowed<'a> {
    /// The program: read and run.
    pub(super) program: &'a Path,
    /// The directory: read and written.
    pub(super) dir: &'a Path,
    /// Files: read.
    pub(super) reads: &'a [PathBuf],
}

/// Which paths may be used, and how. Each is held open.
pub(super) struct Rules(Vec<PathBeneath<PathFd>>);

/// What the kernel enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Enforced {
    /// The number of its interface.
    pub(super) abi: i32,
    /// Whether it denies TCP.
    pub(super) network: bool,
    /// Whether it denies signals to others.
    pub(super) signals: bool,
}

impl Rules {
    /// Opens what is to be allowed. What does not exist needs no rule.
    pub(super) fn collect(allowed: &Allowed<'_>) -> Rules {
        let read = AccessFs::ReadFile | AccessFs::ReadDir;
        let write = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate;
        let mut rules = Vec::new();
        let mut allow = |path: &Path, access: BitFlags<AccessFs>| {
            rules.extend(PathFd::new(path).ok().map(|opened| PathBeneath::new(opened, access)));
        };
        for path in RUN_BELOW {
            allow(Path::new(path), read | AccessFs::Execute);
        }
        for path in LOADER {
            allow(Path::new(path), read);
        }
        allow(Path::new("/dev/null"), write);
        allow(Path::new("/dev/urandom"), AccessFs::ReadFile.into());
        allow(allowed.program, AccessFs::ReadFile | AccessFs::Execute);
        for path in allowed.reads {
            allow(path, AccessFs::ReadFile.into());
        }
        allow(allowed.dir, of_dir());
        Rules(rules)
    }

    /// Denies all else from now on, as far as the kernel can.
    pub(super) fn enforce(self) -> Option<Enforced> {
        self.try_enforce().ok().flatten()
    }

    fn try_enforce(self) -> Result<Option<Enforced>, RulesetError> {
        let status = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(NEWEST))?
            .handle_access(AccessNet::from_all(NEWEST))?
            .scope(Scope::from_all(NEWEST))?
            .create()?
            .add_rules(self.0.into_iter().map(Ok::<_, RulesetError>))?
            .restrict_self()?;
        Ok(match status.landlock {
            LandlockStatus::Available { effective_abi, kernel_abi } if status.ruleset != RulesetStatus::NotEnforced => {
                let network = effective_abi >= ABI::V4;
                let signals = effective_abi >= ABI::V6;
                Some(Enforced { abi: kernel_abi.unwrap_or(effective_abi as i32), network, signals })
            }
            _ => None,
        })
    }
}

/// All but running programs, devices, sockets, pipes.
fn of_dir() -> BitFlags<AccessFs> {
    let never = AccessFs::Execute
        | AccessFs::MakeChar
        | AccessFs::MakeBlock
        | AccessFs::MakeSock
        | AccessFs::MakeFifo
        | AccessFs::IoctlDev;
    AccessFs::from_all(NEWEST) & !never
}
