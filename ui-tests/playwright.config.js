// Two servers: one with an empty workspace, one with the workspace that `seed.py` fills.
const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const base = require('@jupyterlab/galata/lib/playwright-config');

/** A port that is free now. Outside of CI a fixed one, so that a running server is used again. */
function choosePort(name, fixed) {
  if (!process.env[name]) {
    const listen =
      "const s = require('net').createServer().listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close(); })";
    process.env[name] = process.env.CI
      ? execFileSync(process.execPath, ['-e', listen], {
          encoding: 'utf8'
        }).trim()
      : String(fixed);
  }
  return process.env[name];
}

/** A folder for this run of the tests. Workers read this file again and take over what the first reading chose. */
function chooseFolder(name) {
  if (!process.env[name]) {
    process.env[name] = fs.mkdtempSync(path.join(os.tmpdir(), 'atelier-ui-'));
  }
  return process.env[name];
}

function server(port, workspace) {
  return {
    command: 'jupyter lab --config jupyter_server_test_config.py',
    url: `http://127.0.0.1:${port}/lab`,
    timeout: 180000,
    reuseExistingServer: !process.env.CI,
    gracefulShutdown: { signal: 'SIGTERM', timeout: 10000 },
    env: {
      ATELIER_UI_PORT: port,
      ATELIER_HOME: workspace,
      JUPYTERLAB_GALATA_ROOT_DIR: chooseFolder('ATELIER_UI_ROOT')
    }
  };
}

const port = choosePort('ATELIER_UI_PORT', 18888);
const emptyPort = choosePort('ATELIER_UI_EMPTY_PORT', 18889);
const full = server(port, chooseFolder('ATELIER_UI_HOME'));
const empty = server(emptyPort, chooseFolder('ATELIER_UI_EMPTY_HOME'));

module.exports = {
  ...base,
  timeout: 90000,
  // A machine with two busy cores needs longer than Playwright's five seconds.
  expect: { timeout: 15000 },
  retries: 0,
  // Settings, themes and layouts are each page's own (Galata's mocks); files of tests share the two workspaces.
  workers: 2,
  reporter: [['list']],
  globalSetup: require.resolve('./seed.js'),
  use: {
    ...base.use,
    video: 'off',
    baseURL: `http://127.0.0.1:${port}`,
    viewport: { width: 1440, height: 900 },
    permissions: ['clipboard-read', 'clipboard-write'],
    launchOptions: {
      executablePath: process.env.CHROMIUM,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync'
      ]
    }
  },
  webServer: [full, empty]
};
