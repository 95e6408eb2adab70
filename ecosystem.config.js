'use strict';

// What PM2 supervises: three services with two instances each, their engines, and the rotation of the
// logs. nginx is not among them: a reload of everything would close the only door, and a killed
// master leaves workers on the port. `make run` starts all of it; `pm2 list`, `pm2 monit`,
// `pm2 logs` and `pm2 reload ecosystem.config.js` work as usual.
//
// There is no secret here, and none may get into PM2, which writes what it knows to a dump file:
// every process reads its keys from `.env` by itself.

const { execFileSync } = require('node:child_process');
const path = require('node:path');

const PYTHON = path.join(__dirname, '.venv', 'bin', 'python');

// Settings have one reader, and it is Python's: the number of instances, paths, ports, and for each
// application a digest of what it is started with.
const stack = JSON.parse(
  execFileSync(PYTHON, ['-m', 'scripts.stack.applications'], { cwd: __dirname, encoding: 'utf8' }),
);

const logFile = (name) => path.join(stack.logs, `${name}.log`);

function application(name, options) {
  return {
    name,
    namespace: 'trivet',
    cwd: __dirname,
    exec_mode: 'fork',
    interpreter: 'none',
    // A process that dies is back within half a second; one that keeps dying, ever more slowly.
    exp_backoff_restart_delay: 100,
    // A bad setting or a taken port (EX_CONFIG): starting again would not help.
    stop_exit_codes: [78],
    // Above the 25 s in which a service finishes its streams.
    kill_timeout: 30000,
    // Nothing of the shell's environment, in which secrets may lie: PM2 would keep it. What a program
    // may see of it is picked by scripts/stack/applications.py. A name is left out when it includes
    // one of these texts, and every name includes the empty one; PM2 7 takes no notice of `true`.
    filter_env: [''],
    // Our lines are JSON already: log_type and log_date_format would spoil them.
    out_file: logFile(name),
    error_file: logFile(name),
    merge_logs: true,
    vizion: false,
    pmx: false,
    automation: false,
    ...options,
    env: {
      ...stack.environ,
      TRIVET_STARTED_WITH: stack.digests[name],
      PYTHONUNBUFFERED: '1',
      // Fewer arenas: threads that come and go leave less memory behind.
      MALLOC_ARENA_MAX: '2',
      ...options.env,
    },
  };
}

function python(name, module, options) {
  return application(name, {
    script: PYTHON,
    args: ['-m', module],
    // Up means: it has said so (services/kernel/server.py), not merely that it was started.
    wait_ready: true,
    listen_timeout: 30000,
    ...options,
  });
}

function service(name, module) {
  return python(name, module, {
    instances: stack.instances,
    // Instance n listens on its port + 1000·n, so nginx passes over the one that is reloading.
    instance_var: 'TRIVET_INSTANCE',
    max_memory_restart: '600M',
  });
}

const chroma = stack.chroma && [
  application('trivet-chroma', {
    script: PYTHON,
    // Becomes `chroma run`, after a look at its folder.
    args: ['-m', 'services.kb.chroma', stack.chroma.path, `${stack.chroma.port}`],
    max_memory_restart: '1500M',
    env: { ANONYMIZED_TELEMETRY: 'False' },
  }),
];

module.exports = {
  apps: [
    ...(chroma || []),
    python('trivet-embedder', 'services.kb.embedder', {
      max_memory_restart: '1500M',
      // Weights come out of packages; no model hub is asked.
      env: { HF_HUB_OFFLINE: '1', TOKENIZERS_PARALLELISM: 'false' },
    }),
    python('trivet-local-model', 'services.llm_proxy.local_model', { max_memory_restart: '1G' }),
    service('trivet-analytics', 'services.analytics'),
    service('trivet-kb', 'services.kb'),
    service('trivet-llm-proxy', 'services.llm_proxy'),
    // pm2-logrotate as a plain application: `pm2 install` would ask the npm registry again.
    application('trivet-log-rotation', {
      script: path.join(__dirname, 'deploy', 'pm2', 'log-rotation.js'),
      interpreter: process.execPath,
      kill_timeout: 3000,
      max_memory_restart: '200M',
      env: {
        TRIVET_NGINX_LOGS: ['nginx-access', 'nginx-error'].map(logFile).join(path.delimiter),
        'pm2-logrotate': JSON.stringify({ max_size: '10M', retain: 5, workerInterval: 30 }),
      },
    }),
  ],
};
