#!/bin/sh
# k3os-migrate collector: reads one k3OS node and prints one archive on standard output.
#
# By hand, on the node, as root (without root it says what it could not read):
#
#     (umask 077; sudo sh collect.sh > node1.bundle)      then      k3os-migrate inventory --from-dir .
#
# It changes nothing and writes no file, not even a temporary one. It ends: no command is waited for longer than its time, even
# if nothing can kill it, and nothing on a network file system is touched, as its server may be dead. THE ARCHIVE HOLDS SECRETS (cluster token, SSH host keys,
# Wi-Fi passphrases): keep it as you keep those. The format is described in src/core/bundle.ts of k3os-migrate.
#
# Needs sh, base64, head, readlink, stat; everything else is optional. Works in busybox ash, dash and bash.

# --- What is read -------------------------------------------------------------------------------------------------
#
# file PATTERN   its content, if not larger than the limit below
# link PATTERN   where a symbolic link points to
# dir  PATTERN   that a directory is there
# seen PATTERN   that something is there, and its size
# run  COMMAND   its output and exit status
# or   COMMAND   the same, if the command before it did not end well
# each COMMAND   COMMAND once more for the last word of each line it printed
# used PATTERN   bytes used below a directory (du), as long as the time for that lasts; asked with the commands, after them
#
# Starting a program is what costs most on a small machine, so that as few as can be are started: commands are asked in one
# go, then all paths are looked at with one stat, all links with another, and all plain texts are read by one awk.
#
# A star matches hidden names only where the pattern says so.

what='
# the clock first, so that it can be compared
run  date -u +%s
run  id -u
file /proc/uptime

# configuration: the six sources of k3OS, every name in the drop-in directory
file /k3os/system/config.yaml
file /proc/cmdline
file /var/lib/rancher/k3os/config.yaml
dir  /var/lib/rancher/k3os/config.d
file /var/lib/rancher/k3os/config.d/*
file /var/lib/rancher/k3os/config.d/.*
file /run/config/provider
file /run/config/hostname
file /run/config/local_hostname
file /run/config/ssh/authorized_keys
file /run/config/userdata
# what k3OS itself makes of them; before 0.8.0 the program had another name
run  k3os config --dump-json
or   ccapply --dump-json

# which k3OS, k3s and kernel, now and at the next boot
file /etc/os-release
file /run/k3os/mode
run  uname -r
run  uname -m
run  k3s --version
link /k3os/system/k3os/current
link /k3os/system/k3os/previous
link /k3os/system/k3s/current
link /k3os/system/k3s/previous
link /k3os/system/kernel/current
link /k3os/system/kernel/previous
seen /k3os/system/*
seen /k3os/system/.*
dir  /k3os/system/k3os/*
dir  /k3os/system/k3s/*
dir  /k3os/system/kernel/*
seen /k3os/system/kernel/*/kernel.squashfs
seen /k3os/system/kernel/*/initrd
seen /k3os/system/kernel/*/vmlinuz
seen /k3os/system/k3os/*/k3os
seen /k3os/system/k3s/*/k3s

# boot
file /boot/grub/grub.cfg
file /boot/grub/grubenv
seen /boot/grub/*/loadenv.mod
seen /boot/grub/*/linux.mod
dir  /sys/firmware/efi
file /sys/kernel/kexec_loaded
file /proc/sys/kernel/kexec_load_disabled

# k3s
file /etc/init.d/k3s-service
file /etc/rancher/k3s/k3s-service.env
file /etc/environment
file /etc/rancher/k3s/config.yaml
file /etc/rancher/k3s/config.yaml.d/*
file /etc/rancher/k3s/registries.yaml
seen /etc/rancher/k3s/k3s.yaml
link /etc/rancher/node
file /etc/rancher/node/password
file /var/lib/rancher/k3os/node/password
file /var/lib/rancher/k3s/server/token
file /var/lib/rancher/k3s/server/node-token
file /var/lib/rancher/k3s/server/agent-token
dir  /var/lib/rancher/k3s/server/tls
seen /var/lib/rancher/k3s/server/db/state.db
seen /var/lib/rancher/k3s/server/db/state.dqlite
dir  /var/lib/rancher/k3s/server/db/etcd/member/wal
file /var/lib/rancher/k3s/server/db/etcd/name
file /var/lib/rancher/k3s/server/tls/*.crt
file /var/lib/rancher/k3s/server/tls/etcd/*.crt
file /var/lib/rancher/k3s/agent/*.crt
file /var/lib/rancher/k3s/server/manifests/*
file /var/lib/rancher/k3s/server/manifests/*/*
seen /var/lib/rancher/k3s/server/static/charts/*
seen /var/lib/rancher/k3s/agent/images/*
run  crictl images -o json
run  rc-status -a
seen /var/log/k3s-service.log
run  tail -c 65536 /var/log/k3s-service.log
seen /var/log/messages

# identity and access
file /proc/sys/kernel/hostname
file /etc/hostname
file /var/lib/rancher/k3os/hostname
file /etc/machine-id
file /proc/sys/kernel/random/boot_id
link /etc/ssh
file /etc/ssh/ssh_host_*
file /etc/ssh/sshd_config
file /var/lib/rancher/k3os/ssh/ssh_host_*
file /home/rancher/.ssh/authorized_keys
file /etc/local.d/*

# network, as it is and as it is stored
run  ip -j addr
or   ip addr
run  ip -j route
run  ip -6 -j route
link /sys/class/net/*
link /sys/class/net/*/device/driver
dir  /sys/class/net/*/wireless
file /sys/class/net/*/address
file /sys/class/net/*/operstate
file /sys/class/net/*/device/uevent
file /proc/net/route
file /proc/net/ipv6_route
file /etc/resolv.conf
file /etc/hosts
file /etc/connman/main.conf
file /var/lib/connman/settings
file /var/lib/connman/*.config
file /var/lib/connman/*/settings
run  connmanctl services
each connmanctl services

# hardware
file /proc/cpuinfo
file /proc/meminfo
file /proc/modules
file /sys/bus/pci/devices/*/uevent
file /sys/bus/usb/devices/*/uevent
file /sys/class/dmi/id/sys_vendor
file /sys/class/dmi/id/product_name
file /sys/class/dmi/id/product_serial
file /sys/class/dmi/id/product_uuid
file /sys/class/dmi/id/bios_version
file /sys/firmware/devicetree/base/model
run  dmidecode -q

# disks, mounts and what is on them
file /proc/mounts
file /proc/swaps
file /proc/mdstat
run  lsblk -J -b -o NAME,TYPE,SIZE,RO,MODEL,SERIAL,WWN,TRAN,FSTYPE,LABEL,UUID,MOUNTPOINT
run  lsblk -J -b -O
run  blkid
run  findmnt -J
run  mdadm --detail --scan
run  vgs --readonly --noheadings --units b --nosuffix --separator | -o vg_name,vg_size,vg_free
run  lvs --readonly --noheadings --units b --nosuffix --separator | -o vg_name,lv_name,lv_size
run  df -P -k
run  df -P -k /var/lib/rancher

# settings in force
run  sysctl -a

# data that may have to stay; the containers of k3s last, as they have the most files
used /var/lib/rancher/k3s/server/db
used /var/lib/rancher/k3s/storage
used /var/lib/rancher/k3s/storage/*
used /var/lib/longhorn
used /var/lib/kubelet
used /var/lib/kubelet/pods/*/volumes/kubernetes.io~empty-dir/*
used /var/log
used /var/local
used /home
used /opt
used /root
used /mnt
used /var/lib/rancher/k3s/agent
'

# --- Limits -------------------------------------------------------------------------------------------------------

max_file_bytes=1048576 # a larger file is only seen, a longer answer of a command is none
max_text_bytes=65536   # a longer text is carried as any other file
run_seconds=8          # for one command
group_seconds=10       # for all that is asked in one go; commands that are left over are asked one by one
all_seconds=40         # for all commands together, sizes included
used_seconds=25        # for the sizes that are left over

# --- Records ------------------------------------------------------------------------------------------------------

records=0
newline='
'
blanks=" $newline"

record() {
  printf '%s\n' "$1"
  records=$((records + 1))
}

# A field must be plain ASCII; anything else, and a blank where a field ends at the next one, goes as base64.
odd='*[! -~]*'
odd_or_blank='*[!!-~]*'
odd_in_lines="*[! -~	$newline]*"
encode() { # TEXT PATTERN -> $encoded
  # shellcheck disable=SC2254 # the variable is a pattern
  case $1 in
    b64:* | $2 | '') encoded=b64:$(printf %s "$1" | base64 | tr -d '\n') ;;
    *) encoded=$1 ;;
  esac
}

problem() { # NAME REASON
  encode "$1" "$odd_or_blank"
  record "error $encoded $2"
}

owned() { # PATH -> $ownership $size
  size=$(stat -L -c '%s %a %u:%g' "$1" 2>/dev/null) || size='0 - -'
  ownership=${size#* }
  size=${size%% *}
}

# "It is not there" can be believed when every directory above may be searched; root may.
missing() { # PATH
  up=${1%/*}
  while [ -n "$up" ] && [ ! -d "$up" ]; do up=${up%/*}; done
  if [ -x "${up:-/}" ]; then
    encode "$1" "$odd"
    record "absent $encoded"
  else
    problem "$1" 'permission denied'
  fi
}

# What stat said of all links that wait: 'PATH' -> 'TARGET', one a line.
link_targets=
target_of() { # PATH -> $target
  target=${link_targets#*"$newline'$1' -> '"}
  target=${target%%"'$newline"*}
  case $target in
    # It was not asked, or there is a name in it that is not written as it is.
    "$link_targets" | *\'* | *"$newline"*) target=$(readlink "$1") ;;
  esac
}

is_link() { # PATH: true when it was a link, recorded
  [ -L "$1" ] || return 1
  if target_of "$1"; then
    encode "$target" "$odd"
    target=$encoded
    encode "$1" "$odd_or_blank"
    record "link $encoded $target"
  else
    problem "$1" 'the link could not be read'
  fi
}

is_dir() {
  [ -d "$1" ] || return 1
  owned "$1"
  encode "$1" "$odd"
  record "dir $ownership $encoded"
}

is_seen() {
  [ -f "$1" ] || return 1
  owned "$1"
  [ "$ownership" != '- -' ] || size=-
  encode "$1" "$odd"
  record "seen $ownership $size $encoded"
}

is_file() {
  [ -f "$1" ] || return 1
  if [ ! -r "$1" ]; then
    problem "$1" 'permission denied'
    return
  fi
  owned "$1"
  if [ "$size" -gt "$max_file_bytes" ]; then
    # A file of the kernel has no size; it is small.
    is_seen "$1"
  else
    encode "$1" "$odd"
    record "file $ownership $encoded"
    # What comes before it does not count then.
    { base64 <"$1"; } 2>/dev/null || echo '!'
    echo .
  fi
}

# On standard input "text PATH" and "seen PATH" lines, and what stat said of these paths. The answer has two parts: the number of
# records that could be made, with the lines for which none could; and the records, of printable ASCII.
#
# The size tells whether all of a file was read, as some awks end a text at a zero byte. Files of the kernel have none, and are
# text.
# shellcheck disable=SC2016 # for awk
make_records='
$1 == "text" || $1 == "seen" {
  path = substr($0, 6)
  kind[path] = $1
  order[++paths] = path
  next
}
{
  path = $0
  sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /, "", path)
  if (!(path in kind)) next
  size = $2
  owned = $3 " " $4
  if (kind[path] == "text") {
    kernel = path ~ /^\/(proc|sys)\//
    # The whole file at once.
    RS = "\001"
    got = size > max ? -1 : getline text < path
    close(path)
    RS = "\n"
    if (got == 0 && size == 0 && !kernel) text = ""
    else if (got != 1 || text ~ "[^ -~\t\n]" || length(text) > max) next
    if (length(text) != size && !kernel) next
    record = "text " owned " " path "\n"
    last = split(text, lines, "\n")
    for (i = 1; i < last; i++) record = record ":" lines[i] "\n"
    if (last > 0 && lines[last] != "") record = record ";" lines[last] "\n"
    record = record "."
  } else if ($1 ~ /^4/) record = "dir " owned " " path
  else if ($1 ~ /^8/) record = "seen " owned " " size " " path
  else next
  records[++count] = record
  delete kind[path]
}
END {
  print count + 0
  for (i = 1; i <= paths; i++) if (order[i] in kind) print kind[order[i]] " " order[i]
  printf "\001"
  for (i = 1; i <= count; i++) print records[i]
}'

# Names of directories where network file systems are mounted, one a line. Even to look whether something is there may take
# for ever while its server does not answer.
remote=$newline
find_remote() {
  IFS=$newline
  # The type is the only field that can have these names: no other begins with a letter behind a blank but the options.
  for line in $(head -c "$max_file_bytes" /proc/mounts 2>/dev/null); do
    case $line in
      *' nfs '* | *' nfs4 '* | *' cifs '* | *' smb'* | *' 9p '* | *' ceph '* | *' glusterfs '* | *' afs '* | *' ncpfs '* | *' autofs '* | *' fuse '* | *' fuse.'*)
        point=${line#* }
        remote=$remote${point%% *}$newline
        ;;
    esac
  done
  IFS=$blanks
}

is_remote() { # PATH
  [ "$remote" != "$newline" ] || return 1
  up=$1
  while [ -n "$up" ]; do
    case $remote in
      *"$newline$up$newline"*) return 0 ;;
    esac
    up=${up%/*}
  done
  return 1
}

take() { # KIND PATH
  if is_remote "$2"; then
    name=$2
    [ "$1" != used ] || name="du -skx $2"
    problem "$name" 'it is on a network file system, which is not touched'
    return
  fi
  case $1 in
    file | text) is_file "$2" || is_dir "$2" || is_link "$2" || is_odd "$2" || missing "$2" ;;
    link) is_link "$2" || is_dir "$2" || is_seen "$2" || is_odd "$2" || missing "$2" ;;
    dir) is_link "$2" || is_dir "$2" || is_seen "$2" || is_odd "$2" || missing "$2" ;;
    seen) is_link "$2" || is_dir "$2" || is_seen "$2" || is_odd "$2" || missing "$2" ;;
    used) is_used "$2" || is_odd "$2" || missing "$2" ;;
  esac
}

is_odd() {
  [ -e "$1" ] || return 1
  problem "$1" 'it is neither a file nor a directory'
}

# What waits until it is looked at, "KIND PATH" lines; and the paths alone of what one stat and one awk can do, and of links.
waiting=
others=
waiting_paths=
waiting_links=
look() {
  IFS=$newline
  # shellcheck disable=SC2086 # one word for each line
  set -- $waiting_links
  if [ $# != 0 ]; then
    links=$#
    link_targets=$(stat -c %N "$@" 2>/dev/null)
    # shellcheck disable=SC2086
    set -- $link_targets
    # Otherwise there is a line end in a name, and nothing of it is sure.
    if [ $# = "$links" ]; then link_targets=$newline$link_targets$newline; else link_targets=; fi
  fi
  # shellcheck disable=SC2086
  set -- $waiting_paths
  if [ $# != 0 ]; then
    stats=$(stat -L -c '%f %s %a %u:%g %n' "$@" 2>/dev/null)
    answer=$(printf '%s%s\n' "$waiting" "$stats" | awk -v max="$max_text_bytes" "$make_records" 2>/dev/null)
    IFS=$(printf '\001')
    # shellcheck disable=SC2086 # its two parts
    set -- $answer
    if [ $# = 2 ]; then
      printf '%s\n' "$2"
      count=${1%%"$newline"*}
      records=$((records + count))
      waiting=${1#"$count"}
    fi
    IFS=$newline
  fi
  # shellcheck disable=SC2086
  set -- $waiting $others
  IFS=$blanks
  for one; do take "${one%% *}" "${one#* }"; done
}

# --- Commands -----------------------------------------------------------------------------------------------------

# Shell text that runs "$@", but not longer than the seconds in front, with timeout(1) or, as soon as that turns out not to be
# there, without.
# shellcheck disable=SC2016 # for the inner shell
with_timeout() {
  within='timeout "$@"'
  reader() { timeout "$@"; }
  # Of several commands in one go: all of them within one time.
  together=yes
  turn='"$program" "$@" &
child=$!
wait "$child"'
}

# shellcheck disable=SC2016 # for the inner shell
without_timeout() {
  together=
  turn='bounded "$limit" "$program" "$@"'
  within='
seconds=$1
shift
exec 3<&0
"$@" <&3 3<&- &
probe=$!
exec 3<&-
{
  waited=0
  while [ "$waited" -lt "$seconds" ]; do
    sleep 1
    kill -0 "$probe" || exit
    waited=$((waited + 1))
  done
  kill -9 "$probe"
} >/dev/null 2>&1 &
guard=$!
wait "$probe"
status=$?
kill "$guard" 2>/dev/null
(exit "$status")'
  reader() { sh -c "$within" sh "$@"; }
}

# A command that waits for a dead file server may ignore even a kill. So nobody waits for the command itself: it runs in the
# background, and its output comes through a reader that is given up a little later. The last line is its exit status. Both
# are programs of their own, because a part of this shell would keep our input and output open for as long as it lives.
answer() { # COMMAND ARGUMENT...
  {
    # shellcheck disable=SC2016
    sh -c "$within"'
printf "\nexit %s." "$?"' sh "$limit" "$@" </dev/null 2>/dev/null &
  } | reader $((limit + 2)) head -c $((max_file_bytes + 1))
}

# Seconds of a clock that nobody sets, read without a program where that can be.
clock() { # -> $now
  if read -r now _ 2>/dev/null </proc/uptime; then
    now=${now%%.*}
  else
    now=$(date +%s)
  fi
}

# Whether there is time for another command, and how much.
until_second=
time_left() { # -> $left
  clock
  : "${until_second:=$((now + all_seconds))}"
  left=$((until_second - now))
}

# Asks for all of these in one go: one shell runs them one after the other, and its whole output is one record. Each answer
# ends with a line of the mark, the exit status and the command. If the shell does not come to its end in time, because one of
# them is slow, or can neither be waited for nor killed, then the rest is asked one by one. A command line with "or" in front is
# left out if the one before it ended well.
ask() { # HOW-ONE-BY-ONE SECONDS-FOR-ALL COMMAND-LINE...
  alone=$1
  group=$2
  shift 2
  time_left
  [ "$group" -le "$left" ] || group=$left
  output=
  if [ "$group" -ge 1 ]; then
    whole=
    [ -z "$together" ] || whole="timeout $group"
    output=$(
      {
        # shellcheck disable=SC2016,SC2086
        $whole sh -c "bounded() {
$within
}"'
# By its path: some busybox shells would take a tool of their own instead.
look_for() {
  IFS=:
  for place in $PATH; do
    program=$place/$1
    if [ -f "$program" ] && [ -x "$program" ]; then
      IFS=" "
      return
    fi
  done
  IFS=" "
  return 1
}
limit=$1
mark=$2
shift 2
set -f
child=
printf "%s begin\n" "$mark"
trap "[ -z \"\$child\" ] || kill \$child; exit 124" TERM
for line; do
  case $line in
    "or "*)
      [ "$status" != 0 ] || continue
      line=${line#or }
      ;;
  esac
  set -- $line
  if look_for "$1"; then
    shift
    '"$turn"'
    status=$?
    child=
  else
    status=127
  fi
  printf "\n%s %s %s\n" "$mark" "$status" "$line"
done
printf "%s end\n" "$mark"' sh "$run_seconds" "$mark" "$@" </dev/null 2>/dev/null &
      } | reader $((group + 2)) head -c $((4 * max_file_bytes))
    )$newline
    case $output in
      "$mark begin"*) record_answers ;;
      # Not even that: busybox before 1.30 has a timeout of another form, some systems have none.
      *)
        if [ -n "$together" ]; then
          without_timeout
          ask "$alone" "$group" "$@"
          return
        fi
        ;;
    esac
  fi
  case $output in
    *"$newline$mark end$newline") return ;;
  esac
  last=${output##*"$newline$mark "}
  last=${last%%"$newline"*}
  last=${last#* }
  case $output in
    *"$newline$mark "*) ;;
    *) last= ;;
  esac
  for line; do
    # shellcheck disable=SC2086
    [ -n "$last" ] || $alone ${line#or }
    [ "${line#or }" != "$last" ] || last=
  done
}

record_answers() {
  # shellcheck disable=SC2254 # the variable is a pattern
  case $output in
    $odd_in_lines)
      record "answers $mark"
      printf %s "$output" | base64
      echo .
      ;;
    *)
      record "lines $mark"
      printf '%s\n%s end\n' "${output%"$newline$mark end$newline"}" "$mark"
      ;;
  esac
}

alone() { # COMMAND ARGUMENT...
  if [ "$1" = du ]; then
    unmeasured=$unmeasured$*$newline
  else
    limit=$run_seconds
    run "$@"
  fi
}

run() { # COMMAND ARGUMENT...
  if ! command -v "$1" >/dev/null 2>&1; then
    encode "$*" "$odd"
    record "command 127 $encoded"
    echo .
    return
  fi
  time_left
  [ "$left" -ge "$limit" ] || limit=$left
  if [ "$limit" -lt 1 ]; then
    problem "$*" 'the time for all commands was used up'
    return
  fi
  output=$(answer "$@")
  case $output in
    *"${newline}exit "*.)
      status=${output##*"${newline}exit "}
      status=${status%.}
      output=${output%"${newline}exit "*}
      ;;
    *) status=124 ;;
  esac
  if [ ${#output} -gt "$max_file_bytes" ]; then
    problem "$*" "it printed more than $max_file_bytes bytes"
    return
  fi
  encode "$*" "$odd"
  record "command $status $encoded"
  [ -z "$output" ] || printf '%s\n' "${output%"$newline"}" | base64
  echo .
}

run_each() { # COMMAND ARGUMENT...
  command -v "$1" >/dev/null 2>&1 || return 0
  limit=$run_seconds
  names=$(answer "$@" | sed -n 's/.*[ 	]\([^ 	]*\)$/\1/p' | head -n 20)
  asked=$*
  set --
  IFS=$newline
  for name in $names; do
    case $name in
      *_*) set -- "$@" "$asked $name" ;;
    esac
  done
  IFS=$blanks
  [ $# = 0 ] || ask alone "$group_seconds" "$@"
}

# A directory whose name would be no single word among others.
is_used() { # DIRECTORY
  is_link "$1" && return
  is_dir "$1" && measure_one du -skx "$1"
}

measuring() { # -> $limit
  clock
  : "${used_until:=$((now + used_seconds))}"
  limit=$((used_until - now))
}

measure_one() { # du -skx DIRECTORY
  measuring
  if [ "$limit" -gt 0 ]; then
    run "$@"
  else
    problem "$*" 'the time for measuring was used up'
  fi
}

# What could not be measured together with the commands.
unmeasured=
measure() {
  [ -n "$unmeasured" ] || return 0
  measuring
  set -f
  IFS=$newline
  # shellcheck disable=SC2086
  set -- $unmeasured
  IFS=$blanks
  ask measure_one "$limit" "$@"
}

# --- The walk -----------------------------------------------------------------------------------------------------

each() { # KIND PATTERN
  case $2 in
    *\**) ;;
    *)
      once "$1" "$2"
      return
      ;;
  esac
  above=${2%%\**}
  above=${above%/*}
  if is_remote "$above"; then
    problem "$2" 'it is on a network file system, which is not touched'
    return
  fi
  if [ -d "$above" ] && { [ ! -r "$above" ] || [ ! -x "$above" ]; }; then
    problem "$2" 'permission denied'
    return
  fi
  # Patterns are expanded, but what they yield is not split: names may hold anything.
  set +f
  IFS=
  # shellcheck disable=SC2086
  for path in $2; do
    set -f
    IFS=$blanks
    case $path in
      */. | */..) continue ;;
    esac
    if is_remote "$path" || [ -e "$path" ] || [ -L "$path" ]; then once "$1" "$path"; fi
  done
  set -f
  IFS=$blanks
  # Nothing else of that form is there.
  missing "$2"
}

# Directories to be measured, as command lines.
measured=

# Two patterns may yield one path; the archive names it once. What is not there waits for nothing, and neither does what is far
# away or has a line end in its name.
done_paths=$newline
once() { # KIND PATH
  near=
  if is_remote "$2"; then
    :
  elif [ -e "$2" ]; then
    near=yes
  elif [ ! -L "$2" ]; then
    missing "$2"
    return
  fi
  case $done_paths in
    *"$newline$2$newline"*) return ;;
  esac
  done_paths=$done_paths$2$newline
  # shellcheck disable=SC2254 # the variables are patterns
  case $near$1$2 in
    $1* | *"$newline"*) take "$1" "$2" ;;
    $odd | yesused$odd_or_blank | yesfile/sys/firmware/*) others=$others"$1 $2$newline" ;;
    *) wait_for "$1" "$2" ;;
  esac
}

wait_for() { # KIND PATH
  if [ "$1" = file ]; then
    if [ -f "$2" ] && [ -r "$2" ]; then
      waiting=$waiting"text $2$newline"
    else
      others=$others"file $2$newline"
      return
    fi
  elif [ -L "$2" ]; then
    waiting_links=$waiting_links$2$newline
    others=$others"link $2$newline"
    return
  else
    waiting=$waiting"seen $2$newline"
    [ "$1" != used ] || measured=$measured"du -skx $2$newline"
  fi
  waiting_paths=$waiting_paths$2$newline
}

# The directories for local-path volumes, and the kubelet's own, when k3s was told others.
told_directories() {
  value="[=:'\" ]*\([^'\" ]*\).*"
  sed -n "h
s/.*default-local-storage-path$value/volumes \\1/p
g
s/.*root-dir$value/kubelet \\1/p" /etc/init.d/k3s-service /etc/rancher/k3s/config.yaml 2>/dev/null
}

each_told() { # DIRECTORY PATTERN
  directory=${told#*"$newline$1 "}
  directory=${directory%%"$newline"*}
  case $directory in
    /*) each used "${directory%/}/$2" ;;
  esac
}

collect() {
  LC_ALL=C
  PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  export LC_ALL PATH
  renice -n 10 -p $$ >/dev/null 2>&1
  ionice -c 3 -p $$ >/dev/null 2>&1
  if ! command -v base64 >/dev/null; then
    echo 'collect.sh: this system has no base64' >&2
    exit 1
  fi
  [ -O / ] || echo 'collect.sh: not root, so some things cannot be read' >&2

  echo 'k3os-migrate-bundle 1'
  used_until=
  # What no output of a command holds by chance.
  read -r mark 2>/dev/null </proc/sys/kernel/random/uuid || mark=answer-of-$$
  set -f
  find_remote
  with_timeout

  IFS=$newline
  for line in $what; do
    case $line in
      'run  '*) set -- "$@" "${line#run  }" ;;
      'or   '*) set -- "$@" "or ${line#or   }" ;;
      'used '*) each used "${line#used }" ;;
    esac
  done
  told=$newline$(told_directories)
  each_told volumes '*'
  each_told kubelet 'pods/*/volumes/kubernetes.io~empty-dir/*'
  IFS=$newline
  # shellcheck disable=SC2086
  set -- "$@" $measured
  IFS=$blanks
  ask alone "$group_seconds" "$@"

  IFS=$newline
  for line in $what; do
    IFS=$blanks
    kind=${line%% *}
    name=${line#* }
    name=${name# }
    # shellcheck disable=SC2086 # a command line
    case $kind in
      \# | run | or | used) ;;
      each) run_each $name ;;
      *) each "$kind" "$name" ;;
    esac
  done
  look
  measure
  printf 'end %s\n' "$records"
}

# In one function and without standard input: nothing runs before the whole script has arrived, and no command eats it.
collect </dev/null
