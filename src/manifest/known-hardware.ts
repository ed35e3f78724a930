import type { Os } from "../core/host.ts";

/** Files that show a device, by operating system. */
interface KnownHardware {
  /** What it is, in words. */
  readonly is: string;
  /** One of them is there: an absolute path, or a folder and the beginning of a name in it (`/dev/dri/renderD*`). */
  readonly files: Readonly<Partial<Record<Os, readonly string[]>>>;
  /** A file that says the version of its driver. */
  readonly driver?: string;
}

/** The names in the order of the table. */
export const HARDWARE_NAMES = ["nvidia", "amd-gpu", "gpu", "kvm", "camera", "audio", "tun"] as const;

/**
 * The hardware that a manifest can require: a device counts as there when its driver has made the file. Nothing is started
 * to find it out.
 */
const KNOWN_HARDWARE: Readonly<Record<(typeof HARDWARE_NAMES)[number], KnownHardware>> = {
  // docs.nvidia.com, driver README "Device files"; below WSL the driver is the host's (docs.nvidia.com/cuda/wsl-user-guide)
  nvidia: {
    is: "an NVIDIA graphics processor with its driver",
    files: { linux: ["/dev/nvidiactl", "/usr/lib/wsl/lib/libcuda.so.1"] },
    driver: "/proc/driver/nvidia/version",
  },
  // rocm.docs.amd.com: the compute device of the amdgpu driver
  "amd-gpu": { is: "an AMD graphics processor that computes (ROCm)", files: { linux: ["/dev/kfd"] } },
  // docs.kernel.org/gpu/drm-uapi.html, render nodes
  gpu: { is: "a graphics processor with a render node", files: { linux: ["/dev/dri/renderD*"] } },
  // docs.kernel.org/virt/kvm/api.html
  kvm: { is: "virtualisation (KVM)", files: { linux: ["/dev/kvm"] } },
  // docs.kernel.org/userspace-api/media
  camera: { is: "a camera", files: { linux: ["/dev/video*"] } },
  // docs.kernel.org/sound
  audio: { is: "a sound device", files: { linux: ["/dev/snd/controlC*"] } },
  // docs.kernel.org/networking/tuntap.html
  tun: { is: "virtual network devices (TUN/TAP)", files: { linux: ["/dev/net/tun"] } },
};

/** What is known of a device by its name, or undefined. */
export function knownHardware(name: string): KnownHardware | undefined {
  const known: Readonly<Record<string, KnownHardware>> = KNOWN_HARDWARE;
  return Object.hasOwn(known, name) ? known[name] : undefined;
}
