#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How the files beside this one were made. Needs Debian's espeak-ng, ffmpeg and libavcodec-extra; run it to make them anew.
#
# AMR at 12.2 kbit/s and AMR-WB at 12.65 kbit/s, one channel, without silence detection: the modes that phones begin with.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

encode() {  # <name> <wave file>
    ffmpeg -nostdin -loglevel error -y -i "$2" -ac 1 -ar 8000 -c:a libopencore_amrnb -b:a 12.2k "$1.amr"
    ffmpeg -nostdin -loglevel error -y -i "$2" -ac 1 -ar 16000 -c:a libvo_amrwbenc -b:a 12.65k -f amr "$1.awb"
}

tone() {  # <name> <seconds> <frequency> [<frequency>]: a whole number of periods and of frames, so that it can be repeated
    local sum="sin(2*PI*$3*t)"
    [ $# -lt 4 ] || sum="($sum+sin(2*PI*$4*t))/2"
    ffmpeg -nostdin -loglevel error -y -f lavfi -i "aevalsrc='0.3*$sum':s=16000:d=$2" "$work/$1.wav"
    encode "$1" "$work/$1.wav"
}

tone dialtone 1 425
tone silence 0.2 0

while IFS='|' read -r name words; do
    [ -n "$name" ] || continue
    espeak-ng -v en-gb -s 150 -g 2 -w "$work/spoken.wav" "$words"
    # Without the silence at both ends; louder, since a telephone is.
    ffmpeg -nostdin -loglevel error -y -i "$work/spoken.wav" -af \
        "silenceremove=start_periods=1:start_threshold=-45dB,areverse,silenceremove=start_periods=1:start_threshold=-45dB,areverse,volume=1.5,apad=pad_dur=0.06" \
        "$work/$name.wav"
    encode "$name" "$work/$name.wav"
done <<WORDS
0|zero
1|one
2|two
3|three
4|four
5|five
6|six
7|seven
8|eight
9|nine
plus|plus
point|point
minus|minus
welcome|Welcome to dial tone.
your_number|Your number is
unknown|unknown
your_address|Your address is
your_codec|You speak with
narrow_band|A M R
wide_band|A M R wide band
bits|kilobits per second
bearer|The bearer for voice
is_up|is up
is_missing|is missing
quality_class|Quality class
cell|Your radio cell is
secured|Your signalling is protected by I P sec
not_secured|Your signalling is not protected
lost|Packets lost
of|of
received|Packets received
jitter|Jitter
milliseconds|milliseconds
frames|frames
echo|You hear yourself as the network hears you. Speak now.
nothing_heard|The network hears nothing from you.
goodbye|Good bye.
lab|This is a lab network.
emergency|This is a lab network. Nobody answers emergency calls here. Hang up, and use another telephone.
not_here|There is no such number here.
not_reachable|The phone that you have called is not registered.
WORDS
