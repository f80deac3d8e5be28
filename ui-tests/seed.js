// Fills the workspace before the tests, keeps its live runs alive meanwhile, and takes its endpoints down afterwards.
const { spawn } = require('child_process');
const fs = require('fs');
const path = require('path');
const readline = require('readline');

module.exports = async function seed() {
  if (process.env.ATELIER_UI_SEED) {
    return; // the servers at hand have a workspace that was filled before
  }
  const home = process.env.ATELIER_UI_HOME;
  const python = process.env.ATELIER_PYTHON || 'python';
  const child = spawn(python, [path.join(__dirname, 'seed.py')], {
    env: { ...process.env, ATELIER_HOME: home },
    stdio: ['pipe', 'pipe', 'inherit']
  });
  const ended = new Promise(resolve => child.once('exit', resolve));
  const seeded = new Promise((resolve, reject) => {
    readline.createInterface({ input: child.stdout }).once('line', resolve);
    child.once('error', reject);
    void ended.then(code => reject(new Error(`seed.py ended with ${code}`)));
  });
  process.env.ATELIER_UI_SEED = await seeded;
  return async () => {
    child.stdin.end();
    await ended;
    for (const folder of [home, `${home}-files`]) {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  };
};
