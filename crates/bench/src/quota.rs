//! A limit on a process's CPU time, by a control group (cgroups(7)): a node on a smaller machine.

use std::path::{Path, PathBuf};

/// The time that quotas are counted in, in microseconds: short, so that a node that has used its
/// part up holds its locks for milliseconds only.
const PERIOD: u32 = 10_000;

/// A control group with a quota; removed when this is dropped, after its processes.
#[derive(Debug)]
pub struct Quota {
    folder: PathBuf,
}

impl Drop for Quota {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.folder);
    }
}

impl Quota {
    /// A group whose processes together get `percent` of one core.
    pub fn new(name: &str, percent: u32) -> std::io::Result<Self> {
        let quota = PERIOD / 100 * percent;
        // Version 1 has a hierarchy for each controller, version 2 one for all.
        let first = Path::new("/sys/fs/cgroup/cpu");
        let version_1 = first.join("cpu.cfs_quota_us").exists();
        let root = if version_1 { first } else { Path::new("/sys/fs/cgroup") };
        let folder = root.join(name);
        std::fs::create_dir_all(&folder)?;
        let group = Self { folder };
        if version_1 {
            group.write("cpu.cfs_period_us", &PERIOD.to_string())?;
            group.write("cpu.cfs_quota_us", &quota.to_string())?;
        } else {
            group.write("cpu.max", &format!("{quota} {PERIOD}"))?;
        }
        Ok(group)
    }

    /// Puts a process with all its threads into the group.
    pub fn hold(&self, process: u32) -> std::io::Result<()> {
        self.write("cgroup.procs", &process.to_string())
    }

    fn write(&self, file: &str, value: &str) -> std::io::Result<()> {
        std::fs::write(self.folder.join(file), value)
    }
}
