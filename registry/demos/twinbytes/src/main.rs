use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
Find files with the same content, byte by byte.

usage: twinbytes [--min BYTES] [--null] [FOLDER|FILE]...

  --min BYTES  leave out smaller files (default: 1)
  --null       print only the files that could go, each followed by a zero byte, for xargs -0
  --help, --version

Exit code: 0 no twins, 1 some, 2 trouble.
";

struct Options {
    min: u64,
    null: bool,
    roots: Vec<PathBuf>,
}

fn parse(mut args: impl Iterator<Item = std::ffi::OsString>) -> Result<Options, String> {
    let mut options = Options { min: 1, null: false, roots: Vec::new() };
    let mut flags = true;
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--") if flags => flags = false,
            Some("--null") if flags => options.null = true,
            Some("--min") if flags => {
                let value = args.next().and_then(|value| value.to_str()?.parse().ok());
                options.min = value.ok_or("--min needs a number of bytes")?;
            }
            Some(flag) if flags && flag.starts_with('-') => return Err(format!("unknown option {flag}")),
            _ => options.roots.push(arg.into()),
        }
    }
    if options.roots.is_empty() {
        options.roots.push(".".into());
    }
    Ok(options)
}

fn print(found: &twinbytes::Found, null: bool) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for twins in &found.twins {
        if null {
            for path in &twins.paths[1..] {
                out.write_all(path.as_os_str().as_encoded_bytes())?;
                out.write_all(b"\0")?;
            }
            continue;
        }
        writeln!(out, "{} x {} bytes", twins.paths.len(), twins.size)?;
        for path in &twins.paths {
            writeln!(out, "  {}", path.display())?;
        }
    }
    if !null {
        let spare: u64 = found.twins.iter().map(twinbytes::Twins::spare).sum();
        writeln!(out, "{} groups, {} bytes could be free", found.twins.len(), spare)?;
    }
    out.flush()
}

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    if args.iter().any(|arg| arg == "--version") {
        println!("twinbytes {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    let options = match parse(args.into_iter()) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("twinbytes: {message}; see twinbytes --help");
            return ExitCode::from(2);
        }
    };
    let found = twinbytes::find(&options.roots, options.min);
    // A reader that has seen enough (head) is no trouble.
    let printed = match print(&found, options.null) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    };
    for (path, error) in &found.problems {
        eprintln!("twinbytes: {}: {error}", path.display());
    }
    match printed {
        Ok(()) if found.problems.is_empty() => ExitCode::from(u8::from(!found.twins.is_empty())),
        _ => ExitCode::from(2),
    }
}
