//! AMX by its instructions, which Rust has no stable names for. Linux on x86-64 only: other systems don't let a program
//! ask for the registers.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(super) use linux::{Configured, available};
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub(super) use none::{Configured, available};

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[allow(unsafe_code)]
mod linux {
    use std::arch::asm;
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    use std::marker::PhantomData;
    use std::sync::OnceLock;

    use crate::ops::fast::tiles::{COLUMNS, Left, Products, Right};

    /// Whether the processor has tiles of bf16, and the system lets this process use them.
    pub fn available() -> bool {
        static AVAILABLE: OnceLock<bool> = OnceLock::new();
        *AVAILABLE.get_or_init(|| {
            // CPUID 7.0, EDX: bit 22 is AMX-BF16, bit 24 AMX-TILE.
            let features = if __cpuid(0).eax < 7 { 0 } else { __cpuid_count(7, 0).edx };
            features & (1 << 22) != 0 && features & (1 << 24) != 0 && permitted()
        })
    }

    /// Asks the system for the registers: 8 KB more of each thread's state. For all threads that this process starts.
    fn permitted() -> bool {
        const ARCH_PRCTL: isize = 158;
        const ARCH_REQ_XCOMP_PERM: usize = 0x1023;
        const XFEATURE_XTILEDATA: usize = 18;
        let mut result = ARCH_PRCTL;
        // SAFETY: a system call that changes no memory; Linux clobbers rcx and r11 and keeps all others. Where it knows no
        // such request, it returns an error.
        unsafe {
            asm!(
                "syscall",
                inlateout("rax") result,
                in("rdi") ARCH_REQ_XCOMP_PERM,
                in("rsi") XFEATURE_XTILEDATA,
                lateout("rcx") _,
                lateout("r11") _,
                options(nostack),
            );
        }
        result == 0
    }

    /// Palette 1, and for each of eight tiles 64 bytes a row and 16 rows.
    #[repr(align(64))]
    struct Configuration([u8; 64]);

    static CONFIGURATION: Configuration = {
        let mut bytes = [0; 64];
        bytes[0] = 1;
        let mut tile = 0;
        while tile < 8 {
            bytes[16 + 2 * tile] = 64;
            bytes[48 + tile] = 16;
            tile += 1;
        }
        Configuration(bytes)
    };

    /// This thread's tiles have their shape, until this is dropped. It stays on its thread.
    pub struct Configured(PhantomData<*const ()>);

    impl Configured {
        /// Only where they are [`available`].
        pub fn new() -> Self {
            assert!(available(), "this processor has no tiles");
            // SAFETY: available, as is checked; reads 64 bytes, and nobody else uses tiles.
            unsafe {
                asm!("ldtilecfg [{}]", in(reg) &CONFIGURATION.0, options(nostack, readonly, preserves_flags));
            }
            Self(PhantomData)
        }
    }

    impl Drop for Configured {
        fn drop(&mut self) {
            // SAFETY: as above; the tiles hold nothing that is needed.
            unsafe { asm!("tilerelease", options(nostack, nomem, preserves_flags)) }
        }
    }

    /// One product in one block, as the compiler knows of no tiles whose contents it would have to keep: for each tap, for
    /// each tile of its run, the instructions of `$step`. `$bytes` of the right side belong to a step.
    macro_rules! product {
        ($to:expr, $left:expr, $right:expr; $zero:literal; $($step:literal)*; $bytes:literal; $($store:literal)*) => {
            asm!(
                $zero,
                "2:",
                "mov {at}, qword ptr [{taps}]",
                "lea {at}, [{data} + {at}*2]",
                "mov {k}, {run}",
                "3:",
                "lea {below}, [{at} + {rows}]",
                $($step,)*
                "add {at}, 64",
                $bytes,
                "dec {k}",
                "jnz 3b",
                "add {taps}, 8",
                "dec {n}",
                "jnz 2b",
                $($store,)*
                at = out(reg) _,
                below = out(reg) _,
                k = out(reg) _,
                data = in(reg) $left.data.as_ptr(),
                // In bytes.
                down = in(reg) 2 * $left.down,
                rows = in(reg) 2 * 16 * $left.down,
                run = in(reg) $left.run,
                taps = inout(reg) $left.taps.as_ptr() => _,
                n = inout(reg) $left.taps.len() => _,
                right = inout(reg) $right.data.as_ptr() => _,
                s = in(reg) 64usize,
                to = in(reg) $to.0.as_mut_ptr(),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            )
        };
    }

    impl Configured {
        /// As [`Open::multiply`](super::super::Open::multiply), for 16 or 32 rows of sides that were checked there.
        pub(in crate::ops::fast::tiles) fn multiply(
            &self,
            to: &mut Products,
            rows: usize,
            left: Left<'_>,
            right: Right<'_>,
        ) {
            // SAFETY: the tiles have their shape on this thread (`Configured` can't leave it). The caller checked that
            // the last of 16 or 32 rows ends within the left side, that the right side has so many tiles for each tap, and
            // that there are taps and a run, so no loop runs 2⁶⁴ times. `to` has room for 32 rows of 32 numbers.
            unsafe {
                match (rows > 16, right.width > COLUMNS) {
                    (true, true) => product!(to, left, right;
                        "tilezero tmm0\ntilezero tmm1\ntilezero tmm2\ntilezero tmm3";
                        "tileloadd tmm4, [{at} + {down}*1]"
                        "tileloadd tmm6, [{right} + {s}*1]"
                        "tdpbf16ps tmm0, tmm4, tmm6"
                        "tileloadd tmm7, [{right} + {s}*1 + 1024]"
                        "tdpbf16ps tmm1, tmm4, tmm7"
                        "tileloadd tmm5, [{below} + {down}*1]"
                        "tdpbf16ps tmm2, tmm5, tmm6"
                        "tdpbf16ps tmm3, tmm5, tmm7";
                        "add {right}, 2048";
                        "tilestored [{to} + {s}*2], tmm0"
                        "tilestored [{to} + {s}*2 + 64], tmm1"
                        "tilestored [{to} + {s}*2 + 2048], tmm2"
                        "tilestored [{to} + {s}*2 + 2112], tmm3"),
                    (true, false) => product!(to, left, right;
                        "tilezero tmm0\ntilezero tmm2";
                        "tileloadd tmm4, [{at} + {down}*1]"
                        "tileloadd tmm6, [{right} + {s}*1]"
                        "tdpbf16ps tmm0, tmm4, tmm6"
                        "tileloadd tmm5, [{below} + {down}*1]"
                        "tdpbf16ps tmm2, tmm5, tmm6";
                        "add {right}, 1024";
                        "tilestored [{to} + {s}*1], tmm0"
                        "tilestored [{to} + {s}*1 + 1024], tmm2"),
                    (false, true) => product!(to, left, right;
                        "tilezero tmm0\ntilezero tmm1";
                        "tileloadd tmm4, [{at} + {down}*1]"
                        "tileloadd tmm6, [{right} + {s}*1]"
                        "tdpbf16ps tmm0, tmm4, tmm6"
                        "tileloadd tmm7, [{right} + {s}*1 + 1024]"
                        "tdpbf16ps tmm1, tmm4, tmm7";
                        "add {right}, 2048";
                        "tilestored [{to} + {s}*2], tmm0"
                        "tilestored [{to} + {s}*2 + 64], tmm1"),
                    (false, false) => product!(to, left, right;
                        "tilezero tmm0";
                        "tileloadd tmm4, [{at} + {down}*1]"
                        "tileloadd tmm6, [{right} + {s}*1]"
                        "tdpbf16ps tmm0, tmm4, tmm6";
                        "add {right}, 1024";
                        "tilestored [{to} + {s}*1], tmm0"),
                }
            }
        }
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod none {
    use crate::ops::fast::tiles::{Left, Products, Right};

    /// Never.
    pub fn available() -> bool {
        false
    }

    /// Never made.
    pub struct Configured(());

    impl Configured {
        /// Only where they are [`available`].
        pub fn new() -> Self {
            assert!(available(), "this processor has no tiles");
            Self(())
        }

        /// Nothing to multiply with.
        pub fn multiply(&self, _: &mut Products, _: usize, _: Left<'_>, _: Right<'_>) {}
    }
}
