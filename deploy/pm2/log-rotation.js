'use strict';

// Runs pm2-logrotate as a plain application of ours. Left alone it rotates, and after a while deletes,
// the logs of everything that the user runs under PM2; here it sees this checkout's applications
// only, and nginx's logs beside them. (It copies and truncates; nginx appends, so that is safe.)
//
// https://github.com/keymetrics/pm2-logrotate

const path = require('node:path');
const pm2 = require('pm2');

const NAMESPACE = 'trivet';
const ROOT = path.resolve(__dirname, '..', '..');
const NGINX_LOGS = (process.env.TRIVET_NGINX_LOGS || '').split(path.delimiter).filter(Boolean);

const isOurs = (app) => app.pm2_env.namespace === NAMESPACE && app.pm2_env.pm_cwd === ROOT;

const asApplication = (file) => ({
  name: file,
  pm2_env: { pm_out_log_path: file, axm_options: {} },
});

const listAll = pm2.list.bind(pm2);
pm2.list = (answer) =>
  listAll((error, apps) => {
    if (error) return answer(error);
    return answer(null, [...apps.filter(isOurs), ...NGINX_LOGS.map(asApplication)]);
  });

// It looks for its own package.json beside the program that was started.
require.main.filename = require.resolve('pm2-logrotate/app.js');
require('pm2-logrotate/app.js');
