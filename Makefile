# Each line calls scripts/, which people and CI may call as well.
.PHONY: run stop reload test check bench doctor lock screenshots

run:     ; @scripts/run
stop:    ; @scripts/stop
reload:  ; @scripts/reload
test:    ; @scripts/test
check:   ; @scripts/check
bench:   ; @scripts/bench
doctor:  ; @scripts/doctor
lock:    ; @scripts/lock
screenshots: ; @scripts/screenshots
