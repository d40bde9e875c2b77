# SPDX-License-Identifier: BSD-2-Clause
"""How the daemon starts, and what it says when it can't."""

import os
import pwd
import subprocess

from lib import world
from lib.mta import answers
from lib.mxward import is_ready
from lib.process import LogFile, Process, wait_until
from lib.site import Case, standard_conf, write_file

EX_CONFIG, EX_TEMPFAIL = 78, 75


class Starting(Case):
    def run_with(self, text, *options):
        """Runs mxward -f with another configuration file; exit code and what it said."""
        path = write_file("other.conf", text)
        os.chmod(path, 0o600)
        done = subprocess.run([self.mxward.program, "-f", "-c", path] + list(options), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
        return done.returncode, done.stdout.decode("utf-8", "backslashreplace")

    def test_good_configuration_passes_the_check(self):
        done = subprocess.run([self.mxward.program, "-t", "-c", self.mxward.conf], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=20)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_settings_in_force_are_a_configuration_themselves(self):
        done = subprocess.run([self.mxward.program, "-T", "-c", self.mxward.conf], stdout=subprocess.PIPE, timeout=20)
        self.assertEqual(done.returncode, 0)
        path = write_file("dumped.conf", done.stdout.decode("utf-8"))
        again = subprocess.run([self.mxward.program, "-t", "-c", path], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, timeout=20)
        self.assertEqual(again.returncode, 0, again.stdout)

    def test_socket_in_use_is_said_and_left_alone(self):
        code, said = self.run_with(open(self.mxward.conf, encoding="utf-8").read())
        self.assertIn(code, (EX_TEMPFAIL, EX_CONFIG), said)
        self.assertIn("mxward.sock", said)
        self.assertTrue(self.mxward.is_listening())

    def test_mistakes_in_the_configuration_are_all_said(self):
        code, said = self.run_with("no-such-option 1\nmode perhaps\n")
        self.assertEqual(code, EX_CONFIG, said)
        self.assertIn("other.conf:1:", said)
        self.assertIn("other.conf:2:", said)

    def test_missing_configuration_file_is_named(self):
        done = subprocess.run([self.mxward.program, "-f", "-c", "/nonexistent/mxward.conf"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=20)
        self.assertIn(done.returncode, (EX_CONFIG, 66))
        self.assertIn(b"/nonexistent/mxward.conf", done.stdout)

    def test_password_file_that_all_may_read_is_refused(self):
        secret = write_file("secret", "open sesame\n")
        os.chmod(secret, 0o644)
        code, said = self.run_with(standard_conf(extra="""
directory staff {
    type                ldap
    uri                 ldap://127.0.0.1
    base                "dc=example"
    filter              "(mail={addr})"
    bind-dn             "cn=x"
    bind-password-file  "%s"
}
""" % secret))
        self.assertEqual(code, EX_CONFIG, said)
        self.assertIn(secret, said)
        self.assertNotIn("sesame", said)

    def test_unusable_state_directory_is_named(self):
        path = write_file("no-directory", "")
        code, said = self.run_with("socket unix:%s/other.sock\nstate-dir %s\n" % (world.tmp, path) + standard_conf())
        self.assertIn(code, (EX_TEMPFAIL, EX_CONFIG), said)
        self.assertIn(path, said)

    def test_socket_file_has_the_mode_of_the_configuration(self):
        self.assertEqual(os.stat(os.path.join(world.tmp, "mxward.sock")).st_mode & 0o777, 0o666)

    def test_it_runs_as_the_user_it_is_told(self):
        nobody = pwd.getpwnam("nobody")
        state = os.path.join(world.tmp, "state-of-nobody")
        os.makedirs(state, exist_ok=True)
        os.chown(state, nobody.pw_uid, nobody.pw_gid)
        path = write_file("nobody.conf", "socket inet:8899@127.0.0.1\nuser nobody\nstate-dir %s\n" % state
                          + standard_conf())
        os.chmod(path, 0o644)
        log = LogFile(os.path.join(world.tmp, "nobody.log"), "mxward")
        process = Process("mxward", [self.mxward.program, "-f", "-c", path], log.path)
        self.addCleanup(process.kill_group)
        wait_until(lambda: is_ready(log.text()) or not process.is_running(), "mxward is ready")
        self.assertTrue(answers("127.0.0.1", 8899), log.text())
        with open("/proc/%d/status" % process.pid, encoding="ascii") as f:
            status = dict(line.split(":", 1) for line in f)
        self.assertEqual(set(status["Uid"].split()), {str(nobody.pw_uid)})
        self.assertEqual(set(status["Gid"].split()), {str(nobody.pw_gid)})
        self.assertEqual(process.stop(), 0)
