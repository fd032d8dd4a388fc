// Keeps the password of the automatic logon as a secret of the Local Security Authority, under the name that Windows'
// logon asks for (LsaStorePrivateData, "DefaultPassword"). Made by morpheus.
using System;
using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Morpheus
{
    public static class AutoLogon
    {
        [StructLayout(LayoutKind.Sequential)]
        private struct Text
        {
            public ushort Length;
            public ushort MaximumLength;
            public IntPtr Buffer;
        }

        [StructLayout(LayoutKind.Sequential)]
        private struct Attributes
        {
            public int Length;
            public IntPtr RootDirectory;
            public IntPtr ObjectName;
            public int Flags;
            public IntPtr SecurityDescriptor;
            public IntPtr SecurityQualityOfService;
        }

        [DllImport("advapi32.dll")]
        private static extern int LsaOpenPolicy(IntPtr system, ref Attributes attributes, int access, out IntPtr policy);
        [DllImport("advapi32.dll")]
        private static extern int LsaStorePrivateData(IntPtr policy, ref Text key, ref Text data);
        [DllImport("advapi32.dll")]
        private static extern int LsaNtStatusToWinError(int status);
        [DllImport("advapi32.dll")]
        private static extern int LsaClose(IntPtr policy);

        private static Text Make(string words)
        {
            Text text = new Text();
            text.Buffer = Marshal.StringToHGlobalUni(words);
            text.Length = (ushort)(words.Length * 2);
            text.MaximumLength = (ushort)(words.Length * 2 + 2);
            return text;
        }

        private static void Check(int status)
        {
            if (status != 0) { throw new Win32Exception(LsaNtStatusToWinError(status)); }
        }

        public static void Keep(string password)
        {
            Attributes attributes = new Attributes();
            attributes.Length = Marshal.SizeOf(typeof(Attributes));
            IntPtr policy;
            // POLICY_CREATE_SECRET
            Check(LsaOpenPolicy(IntPtr.Zero, ref attributes, 0x20, out policy));
            Text key = Make("DefaultPassword");
            Text data = Make(password);
            try { Check(LsaStorePrivateData(policy, ref key, ref data)); }
            finally
            {
                Marshal.ZeroFreeGlobalAllocUnicode(data.Buffer);
                Marshal.FreeHGlobal(key.Buffer);
                LsaClose(policy);
            }
        }
    }
}
