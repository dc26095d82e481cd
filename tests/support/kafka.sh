#!/usr/bin/env bash
# A real Apache Kafka for tests: KRaft nodes out of Maven's jars, no container. Needs Java 17 and Maven.
#
#   kafka.sh fetch              get the jars, once a machine
#   kafka.sh start   DIR [N]    N nodes (1; 3 gives replication 3 and min ISR 2), or those of DIR again
#   kafka.sh stop    DIR [ID]   politely; by force after 20 s
#   kafka.sh kill    DIR [ID]   by force; the data stay
#   kafka.sh pause   DIR [ID]   SIGSTOP
#   kafka.sh resume  DIR [ID]   SIGCONT
#   kafka.sh restart DIR ID     a stopped or killed node again, on its data
#   kafka.sh env     DIR        KAFKA_BOOTSTRAP=…, for eval
#
# Environment of start: KAFKA_VERSION (4.4.0), KAFKA_PORT (the first of 2 N ports; else ten free ones out of
# KAFKA_PORTS, 20100-20999), KAFKA_HEAP (384m), KAFKA_PROPS (more broker properties, one a line), KAFKA_OWNER
# (a process id: all nodes end with it, however it ends), KAFKA_LANES (0: so many more listeners a node; that of
# lane K is 127.0.1.K, port + 1000 K, and it is advertised as 127.0.2.K, where a test puts a TCP proxy),
# KAFKA_SECURED (a folder with server.pem: key, certificate and its CA, and ca.pem; then node N also listens with
# SASL_SSL on the first port + 6 + N, SCRAM-SHA-512 and PLAIN, with the users of KAFKA_USERS, "NAME=PASSWORD …", and rights are
# asked for: whoever comes to the plain listener has them all, others those that ACLs give).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
KAFKA_VERSION=${KAFKA_VERSION:-4.4.0}
KAFKA_HEAP=${KAFKA_HEAP:-384m}
KAFKA_PORTS=${KAFKA_PORTS:-20100-20999}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tidemark
reserved=${TMPDIR:-/tmp}/tidemark-kafka-ports

die() { echo "kafka.sh: $*" >&2; exit 1; }

fetch() {
    jars=$cache/kafka-$KAFKA_VERSION
    [ -e "$jars/.complete" ] && return 0
    command -v mvn >/dev/null || die "Maven is missing (scripts/install --tests)"
    mkdir -p "$cache"
    exec 8>"$cache/kafka.lock"
    flock 8 # two tests may want them at once
    if [ ! -e "$jars/.complete" ]; then
        rm -rf "$jars"
        mvn -B -q -f "$here/kafka/pom.xml" -Dkafka.version="$KAFKA_VERSION" \
            org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
            -DoutputDirectory="$jars" -DincludeScope=runtime || die "Kafka's jars cannot be fetched"
        touch "$jars/.complete"
    fi
    exec 8>&-
}

java_exec() {
    exec setsid java -Xms64m -Xmx"$KAFKA_HEAP" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto \
        -Djava.awt.headless=true -Dlog4j2.configurationFile="$here/kafka/log4j2.properties" -cp "$jars/*" "$@"
}

# A process is ours only when its command line names this node's file.
alive() { # ID
    # no pipe: under pipefail its writer may die of SIGPIPE, and a live node look dead
    [ -s "$dir/$1/pid" ] && grep -qzxF "$dir/$1/server.properties" "/proc/$(cat "$dir/$1/pid")/cmdline" 2>/dev/null
}
nodes() { if [ -n "${1:-}" ]; then echo "$1"; else (cd "$dir" && ls -d [0-9]* 2>/dev/null) || true; fi; }
all_free() { # the first of ten ports
    local i
    for ((i = 0; i < 10; i++)); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$(($1 + i))") 2>/dev/null; then return 1; fi
    done
}

# Ten ports that no other cluster of this script has: a folder named by the first one, made atomically.
reserve_ports() {
    local low=${KAFKA_PORTS%-*} high=${KAFKA_PORTS#*-} try base
    mkdir -p "$reserved"
    find "$reserved" -mindepth 1 -maxdepth 1 -mmin +240 -exec rm -rf {} + # of those that never stopped
    for ((try = 0; try < 200; try++)); do
        base=$((low + RANDOM % ((high - low + 1) / 10) * 10))
        mkdir "$reserved/$base" 2>/dev/null || continue
        echo "$dir" >"$reserved/$base/dir"
        all_free "$base" || continue # the folder stays, as a mark
        KAFKA_PORT=$base
        return
    done
    die "no ten free ports in $KAFKA_PORTS"
}

# Whoever comes to the plain listener is ANONYMOUS.
secured_properties() {
    local user plain="" login=org.apache.kafka.common.security
    for user in ${KAFKA_USERS:-}; do plain+=" user_${user%%=*}=\"${user#*=}\""; done
    cat <<P
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
listener.name.secured.ssl.keystore.type=PEM
listener.name.secured.ssl.keystore.location=$KAFKA_SECURED/server.pem
listener.name.secured.ssl.truststore.type=PEM
listener.name.secured.ssl.truststore.location=$KAFKA_SECURED/ca.pem
listener.name.secured.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.secured.scram-sha-512.sasl.jaas.config=$login.scram.ScramLoginModule required;
listener.name.secured.plain.sasl.jaas.config=$login.plain.PlainLoginModule required$plain;
P
}

write_properties() { # ID N
    local id=$1 n=$2 replicas=1 in_sync=1 voters="" j port lanes="" advertised="" protocols="" secured=""
    port=$((KAFKA_PORT + 2 * id - 2))
    if [ -n "${KAFKA_SECURED:-}" ]; then
        lanes=",SECURED://127.0.0.1:$((KAFKA_PORT + 6 + id))" advertised=$lanes protocols=",SECURED:SASL_SSL"
        secured=$(secured_properties)
    fi
    for ((j = 1; j <= ${KAFKA_LANES:-0}; j++)); do
        lanes+=",LANE$j://127.0.1.$j:$((port + 1000 * j))" advertised+=",LANE$j://127.0.2.$j:$((port + 1000 * j))"
        protocols+=",LANE$j:PLAINTEXT"
    done
    if [ "$n" -ge 3 ]; then replicas=3 in_sync=2; fi
    for ((j = 1; j <= n; j++)); do voters+="${voters:+,}$j@127.0.0.1:$((KAFKA_PORT + 2 * j - 1))"; done
    mkdir -p "$dir/$id"
    cat >"$dir/$id/server.properties" <<P
process.roles=broker,controller
node.id=$id
controller.quorum.voters=$voters
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))$lanes
advertised.listeners=PLAINTEXT://127.0.0.1:$port$advertised
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT$protocols
inter.broker.listener.name=PLAINTEXT
log.dirs=$dir/$id/data
auto.create.topics.enable=false
log.retention.ms=-1
default.replication.factor=$replicas
min.insync.replicas=$in_sync
offsets.topic.replication.factor=$replicas
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=$replicas
transaction.state.log.min.isr=$in_sync
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=$replicas
share.coordinator.state.topic.min.isr=$in_sync
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.backoff.ms=1000
$secured
${KAFKA_PROPS:-}
P
}

launch() { # ID: returns before the node is ready
    local id=$1 try
    if alive "$id"; then die "node $id of $dir is running already"; fi
    printf '\n== start %s\n' "$(date +%T)" >>"$dir/$id/log"
    wc -c <"$dir/$id/log" >"$dir/$id/log.from"
    (cd "$dir/$id" && java_exec kafka.Kafka "$dir/$id/server.properties" </dev/null >>"$dir/$id/log" 2>&1) &
    echo $! >"$dir/$id/pid" # exec'ed, so this is Java's
    disown 2>/dev/null || true
    for ((try = 0; try < 100; try++)); do if alive "$id"; then break; fi; sleep 0.02; done
}

await() { # ID
    local id=$1 end=$((SECONDS + 90))
    until tail -c +"$(cat "$dir/$id/log.from")" "$dir/$id/log" | grep -q 'Kafka Server started'; do
        alive "$id" || { tail -25 "$dir/$id/log" >&2; die "node $id ended while starting"; }
        [ $SECONDS -lt $end ] || { tail -25 "$dir/$id/log" >&2; die "node $id does not start"; }
        sleep 0.1
    done
}

# Outlives the owner for as long as it takes to stop the nodes.
watch_owner() {
    setsid bash -c 'while kill -0 "$1" 2>/dev/null && [ -e "$3/env" ]; do sleep 1; done; [ ! -e "$3/env" ] || { "$2" kill "$3"; "$2" stop "$3"; }' \
        watch "$KAFKA_OWNER" "$here/kafka.sh" "$dir" </dev/null >/dev/null 2>&1 &
    disown 2>/dev/null || true
}

new_cluster() { # N
    local n=$1 id cluster user
    local -a scram=()
    for user in ${KAFKA_USERS:-}; do
        scram+=(--add-scram "SCRAM-SHA-512=[name=${user%%=*},password=${user#*=}]")
    done
    [ -n "${KAFKA_PORT:-}" ] || reserve_ports
    mkdir -p "$dir"
    cluster=$(head -c16 /dev/urandom | base64 | tr '+/' 'ab' | tr -d =)
    for ((id = 1; id <= n; id++)); do
        write_properties "$id" "$n"
        (java_exec kafka.tools.StorageTool format -t "$cluster" -c "$dir/$id/server.properties" "${scram[@]}") \
            >"$dir/$id/format.log" 2>&1 || { cat "$dir/$id/format.log" >&2; die "formatting failed"; }
    done
    printf 'KAFKA_VERSION=%q KAFKA_PORT=%q KAFKA_HEAP=%q KAFKA_NODES=%q\n' \
        "$KAFKA_VERSION" "$KAFKA_PORT" "$KAFKA_HEAP" "$n" >"$dir/env"
}

start() { # [N]
    local id
    command -v java >/dev/null || die "Java is missing (scripts/install --tests)"
    [ -e "$dir/env" ] || { fetch; new_cluster "${1:-1}"; }
    load
    trap 'status=$?; [ $status = 0 ] || stop; exit $status' EXIT
    for id in $(nodes); do alive "$id" || launch "$id"; done
    for id in $(nodes); do await "$id"; done
    trap - EXIT
    [ -z "${KAFKA_OWNER:-}" ] || watch_owner
    print_env
}

load() {
    [ -e "$dir/env" ] || die "$dir is no cluster of this script"
    # shellcheck disable=SC1091
    . "$dir/env"
    fetch
}

print_env() {
    local list="" j
    for ((j = 1; j <= KAFKA_NODES; j++)); do list+="${list:+,}127.0.0.1:$((KAFKA_PORT + 2 * j - 2))"; done
    echo "KAFKA_BOOTSTRAP=$list"
    [ -z "${KAFKA_SECURED:-}" ] || echo "KAFKA_SECURED=127.0.0.1:$((KAFKA_PORT + 7))"
}

signal() { # SIGNAL [ID]
    local id
    for id in $(nodes "${2:-}"); do if alive "$id"; then kill -"$1" "$(cat "$dir/$id/pid")"; fi; done
}

# The signal is on its way when kill returns: on a loaded machine a thread may still answer a request.
pause() { # [ID]
    local id try
    signal STOP "${1:-}"
    for id in $(nodes "${1:-}"); do
        for ((try = 0; try < 100; try++)); do
            grep -hqE '^State:[[:space:]]+[RSD]' "/proc/$(cat "$dir/$id/pid")"/task/*/status 2>/dev/null || break
            sleep 0.02
        done
    done
}

release_ports() {
    [ "$(cat "$reserved/$KAFKA_PORT/dir" 2>/dev/null)" != "$dir" ] || rm -rf "${reserved:?}/$KAFKA_PORT"
}

stop() { # [ID]
    local id try
    signal CONT "${1:-}"
    signal TERM "${1:-}"
    for id in $(nodes "${1:-}"); do
        for ((try = 0; try < 200; try++)); do alive "$id" || break; sleep 0.1; done
        signal KILL "$id"
        rm -f "$dir/$id/pid"
    done
    [ -n "${1:-}" ] || release_ports
}

command=${1:-}
case $command in
    fetch) fetch; exit ;;
    start | stop | kill | pause | resume | restart | env) [ -n "${2:-}" ] || die "DIR is missing" ;;
    *) sed -n '2,19s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
dir=$(realpath -m "$2")
[ "$command" = start ] || load
case $command in
    start) start "${3:-1}" ;;
    stop) stop "${3:-}" ;;
    kill) signal KILL "${3:-}" ;;
    pause) pause "${3:-}" ;;
    resume) signal CONT "${3:-}" ;;
    restart) launch "${3:?ID}"; await "$3" ;;
    env) print_env ;;
esac
