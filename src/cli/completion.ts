/**
 * A shell's completion script. It holds no list: ipm itself is asked (`ipm __complete`), so that commands, flags and
 * names are always those of the ipm that is installed, and a script on disk never goes stale.
 */
export function completionScript(shell: "bash" | "zsh" | "fish"): string {
  return { bash: BASH, zsh: ZSH, fish: FISH }[shell];
}

const BASH = `# bash completion of ipm
_ipm_complete() {
  local IFS=$'\\n'
  COMPREPLY=($(ipm __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  # No candidate of ours: a path may be meant.
  [ "\${#COMPREPLY[@]}" -gt 0 ] || compopt -o default 2>/dev/null
}
complete -F _ipm_complete ipm
`;

const ZSH = `#compdef ipm
_ipm() {
  local -a found
  found=("\${(@f)$(ipm __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[1]-}" ]]; then
    compadd -a found
  else
    _files
  fi
}
if [ "\${funcstack[1]-}" = "_ipm" ]; then
  _ipm "$@"
elif (( \${+functions[compdef]} )); then
  compdef _ipm ipm
fi
`;

const FISH = `# fish completion of ipm
function __ipm_complete
    set -l found (ipm __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)
    if set -q found[1]
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c ipm -e
complete -c ipm -f -a '(__ipm_complete)'
`;
