#!/bin/sh
# Asks a stack from the command line: the passages found, the answer whole, the answer as it is written.
#
#   BASE=http://127.0.0.1:8740 examples/curl/ask.sh "How do I back up Trivet?"
#
# KEY is a virtual key (sk_…), where the stack asks for one.
set -eu

BASE=${BASE:-http://127.0.0.1:8740}
KEY=${KEY:-anonymous}
QUESTION=${1:?"usage: $0 QUESTION"}

# Without a tool for JSON: backslashes and quotes are escaped, and line ends become blanks.
escaped=$(printf %s "$QUESTION" | tr '\n\t' '  ' | sed 's/\\/\\\\/g; s/"/\\"/g')

chat() { # stream: true or false
  curl --silent --show-error --fail-with-body --no-buffer "$BASE/v1/chat/completions" \
    -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' --data-binary @- <<JSON
{"model": "assistant/site", "stream": $1, "messages": [{"role": "user", "content": "$escaped"}]}
JSON
}

echo "== passages"
curl --silent --show-error --fail-with-body --get "$BASE/api/search" \
  --data-urlencode "q=$QUESTION" --data-urlencode "top_k=3"

printf '\n\n== the answer, whole\n'
chat false

printf '\n\n== the answer, as it is written\n'
chat true
