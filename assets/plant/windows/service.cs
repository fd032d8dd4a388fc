// Runs a console program as a Windows service and stops it as Ctrl-C would. Made by morpheus.
// Arguments: NAME REGISTRY-FILE REGISTRY-ADDRESS-OR-DASH PROGRAM [ARGUMENT...]. Compiled by Windows' own compiler (C# 5).
using System;
using System.Collections;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Runtime.InteropServices;
using System.ServiceProcess;
using System.Web.Script.Serialization;

namespace Morpheus
{
    public class Hosted : ServiceBase
    {
        private readonly string[] words;
        private Process child;
        private volatile bool stopping;

        [DllImport("kernel32.dll", SetLastError = true)]
        private static extern bool AttachConsole(uint process);
        [DllImport("kernel32.dll", SetLastError = true)]
        private static extern bool FreeConsole();
        [DllImport("kernel32.dll", SetLastError = true)]
        private static extern bool SetConsoleCtrlHandler(IntPtr handler, bool add);
        [DllImport("kernel32.dll", SetLastError = true)]
        private static extern bool GenerateConsoleCtrlEvent(uint what, uint group);

        public Hosted(string[] words)
        {
            this.words = words;
            ServiceName = words[0];
            CanShutdown = true;
        }

        public static void Main(string[] words)
        {
            Run(new Hosted(words));
        }

        protected override void OnStart(string[] ignored)
        {
            ReadRegistry();
            ProcessStartInfo how = new ProcessStartInfo(words[3], String.Join(" ", words, 4, words.Length - 4));
            how.UseShellExecute = false;
            how.CreateNoWindow = true;
            child = new Process();
            child.StartInfo = how;
            child.EnableRaisingEvents = true;
            child.Exited += delegate
            {
                // Ends the service with a failure, so that it is started again.
                if (!stopping) { Environment.Exit(1); }
            };
            child.Start();
        }

        // What can't be read stays as it is.
        private void ReadRegistry()
        {
            if (words[2] == "-") { return; }
            try
            {
                ServicePointManager.SecurityProtocol |= SecurityProtocolType.Tls12;
                HttpWebRequest request = (HttpWebRequest)WebRequest.Create(words[2]);
                request.Timeout = 15000;
                request.ReadWriteTimeout = 15000;
                string text;
                using (WebResponse answer = request.GetResponse())
                using (StreamReader reader = new StreamReader(answer.GetResponseStream()))
                {
                    text = reader.ReadToEnd();
                }
                string identity = File.ReadAllText(Environment.GetEnvironmentVariable("NATS_CLUSTER_NODE_INFO"));
                File.WriteAllText(words[1] + ".new", Peers(text, identity));
                File.Copy(words[1] + ".new", words[1], true);
                File.Delete(words[1] + ".new");
            }
            catch (Exception problem)
            {
                try { EventLog.WriteEntry("registry not read: " + problem.Message, EventLogEntryType.Warning); }
                catch (Exception) { }
            }
        }

        // NimsForest takes every node on its list for a peer, itself too unless the list has exactly its first IPv6
        // address: the local copy has neither this guest nor those that morpheus knows to be off.
        private static string Peers(string registry, string identity)
        {
            JavaScriptSerializer json = new JavaScriptSerializer();
            Dictionary<string, object> all = json.Deserialize<Dictionary<string, object>>(registry);
            Dictionary<string, object> me = json.Deserialize<Dictionary<string, object>>(identity);
            Dictionary<string, object> forests = all["nodes"] as Dictionary<string, object>;
            if (forests == null) { throw new FormatException("it has no nodes: it is no registry"); }
            string forest = (string)me["forest_id"];
            object nodes;
            ArrayList peers = new ArrayList();
            if (forests.TryGetValue(forest, out nodes) && nodes != null)
            {
                foreach (Dictionary<string, object> node in (ArrayList)nodes)
                {
                    bool off = Is(node, "managed_by", "morpheus") && Is(node, "state", "stopped");
                    if (!off && !Is(node, "id", (string)me["node_id"])) { peers.Add(node); }
                }
            }
            forests[forest] = peers;
            return json.Serialize(all);
        }

        private static bool Is(Dictionary<string, object> node, string key, string value)
        {
            object found;
            return node.TryGetValue(key, out found) && value.Equals(found);
        }

        protected override void OnStop()
        {
            stopping = true;
            if (child == null || child.HasExited) { return; }
            RequestAdditionalTime(40000);
            // A process has one console: this one lets go of its own, takes the child's, and is deaf to what it sends.
            FreeConsole();
            if (AttachConsole((uint)child.Id))
            {
                SetConsoleCtrlHandler(IntPtr.Zero, true);
                GenerateConsoleCtrlEvent(0, 0);
                FreeConsole();
            }
            if (!child.WaitForExit(30000)) { child.Kill(); }
        }

        protected override void OnShutdown()
        {
            OnStop();
        }
    }
}
