//! Seccomp: which system calls the program may not make.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter,
};

/// Calls that fail with "not permitted".
const DENIED: [i64; 47] = [
    // Network.
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_bind,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Leaving the process group.
    libc::SYS_setsid,
    libc::SYS_setpgid,
    // Mounts and namespaces.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    // The kernel itself.
    libc::SYS_kexec_load,
    KEXEC_FILE_LOAD,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_userfaultfd,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_personality,
];

/// `kexec_file_load`, which not every C library names.
const KEXEC_FILE_LOAD: i64 = if cfg!(target_arch = "x86_64") { 320 } else { 294 };

/// On this processor, what marks a call of the 32-bit interface that the filter sees as the same architecture, and the
/// calls that have numbers of their own there: `ptrace`, `kexec_load`, `process_vm_readv`, `process_vm_writev`.
#[cfg(target_arch = "x86_64")]
const OTHER_NUMBERS: Option<(i64, [i64; 4])> = Some((0x4000_0000, [521, 528, 539, 540]));
#[cfg(not(target_arch = "x86_64"))]
const OTHER_NUMBERS: Option<(i64, [i64; 4])> = None;

/// Flags of `clone` that make a namespace.
const NEW_NAMESPACE: [i32; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWCGROUP,
];

type Rules = BTreeMap<i64, Vec<SeccompRule>>;
type Result<T> = std::result::Result<T, seccompiler::BackendError>;

/// Denies them from now on; whether the kernel does so.
pub(super) fn deny() -> bool {
    let install = |rules: Result<Rules>, errno: i32| {
        rules.and_then(|rules| program(rules, errno)).is_ok_and(|program| apply_filter(&program).is_ok())
    };
    // A filter cannot see the flags of `clone3`; without it, the C library takes `clone`.
    install(denied(), libc::EPERM) & install(Ok(always([libc::SYS_clone3])), libc::ENOSYS)
}

fn program(rules: Rules, errno: i32) -> Result<BpfProgram> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno as u32), arch)?.try_into()
}

fn denied() -> Result<Rules> {
    let mut rules = always(DENIED);
    let clone = NEW_NAMESPACE.map(|flag| {
        let flag = u64::from(flag as u32);
        when(0, SeccompCmpOp::MaskedEq(flag), flag)
    });
    let clone: Vec<_> = clone.into_iter().collect::<Result<_>>()?;
    // Limits of other processes.
    let limits = vec![when(0, SeccompCmpOp::Ne, 0)?];
    for (call, of_call) in [(libc::SYS_clone, clone), (libc::SYS_prlimit64, limits)] {
        rules.extend(numbers(call).map(|number| (number, of_call.clone())));
    }
    let others = OTHER_NUMBERS.into_iter().flat_map(|(mark, calls)| calls.map(|call| (mark | call, Vec::new())));
    rules.extend(others);
    Ok(rules)
}

fn when(arg: u8, is: SeccompCmpOp, value: u64) -> Result<SeccompRule> {
    SeccompRule::new(vec![SeccompCondition::new(arg, SeccompCmpArgLen::Dword, is, value)?])
}

fn always(calls: impl IntoIterator<Item = i64>) -> Rules {
    calls.into_iter().flat_map(numbers).map(|number| (number, Vec::new())).collect()
}

/// All numbers that the call goes by.
fn numbers(call: i64) -> impl Iterator<Item = i64> {
    std::iter::once(call).chain(OTHER_NUMBERS.map(|(mark, _)| mark | call))
}
