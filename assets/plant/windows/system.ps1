# Power, accounts, firewall, drivers of the virtual hardware, and what is secret.

$Winlogon = 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon'
# Where headsets are.
$HomeNetworks = @('LocalSubnet', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fd00::/8')

function Set-System {
  # Fast startup hibernates half of the system: the card would go to another guest with a driver that still has it.
  $power = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Power'
  Set-ItemProperty -Path $power -Name HiberbootEnabled -Type DWord -Value 0
  if ($Settings.hibernate) {
    Invoke-Tool 'powercfg.exe' '/hibernate on'
  } else {
    Invoke-Tool 'powercfg.exe' '/hibernate off' @(0, 1)
  }
  # High performance; the host decides when the machine sleeps.
  Invoke-Tool 'powercfg.exe' '/setactive 8c5e7fda-e8bf-4a96-9a85-a6e23a8c635c' @(0, 1)
  foreach ($what in 'standby-timeout-ac', 'monitor-timeout-ac', 'hibernate-timeout-ac', 'disk-timeout-ac') {
    Invoke-Tool 'powercfg.exe' "/change $what 0" @(0, 1)
  }
  # A password that ends after 42 days would end the automatic logon.
  Invoke-Tool 'net.exe' 'accounts /maxpwage:unlimited'
  # No question about the network that nobody sees.
  New-Item -Path 'HKLM:\SYSTEM\CurrentControlSet\Control\Network\NewNetworkWindowOff' -Force | Out-Null
  Set-Firewall
}

function Set-Firewall {
  Get-NetFirewallRule -Group 'morpheus' -ErrorAction SilentlyContinue | Remove-NetFirewallRule
  foreach ($rule in $Settings.firewall) {
    $from = if ($rule.home) { $HomeNetworks } else { @('Any') }
    New-NetFirewallRule -DisplayName "$($rule.name) ($($rule.protocol))" -Group 'morpheus' -Direction Inbound -Action Allow -Profile Any -Protocol $rule.protocol -LocalPort $rule.ports -RemoteAddress $from | Out-Null
  }
}

# The first path of this name on any disc.
function Find-OnDiscs($name) {
  foreach ($drive in [IO.DriveInfo]::GetDrives()) {
    if ($drive.DriveType -eq 'CDRom' -and $drive.IsReady) {
      $path = Join-Path $drive.RootDirectory.FullName $name
      if (Test-Path -LiteralPath $path) { return $path }
    }
  }
}

# 3010 and 1641: done, after a restart (msiexec).
function Install-GuestTools {
  $all = Find-OnDiscs 'virtio-win-guest-tools.exe'
  if ($all) {
    Invoke-Tool $all '/install /quiet /norestart' @(0, 3010, 1641)
  } else {
    foreach ($name in 'virtio-win-gt-x64.msi', 'guest-agent\qemu-ga-x86_64.msi') {
      $package = Find-OnDiscs $name
      if (-not $package) { throw "$name is on no disc; is the drivers' disc of virtio-win in the guest?" }
      Invoke-Tool 'msiexec.exe' "/i `"$package`" /qn /norestart" @(0, 3010, 1641)
    }
  }
  $agent = Get-Service -Name 'QEMU-GA'
  if ($agent.Status -ne 'Running') { Start-Service -Name 'QEMU-GA' }
}

# Setup keeps the password of the automatic logon as text in the registry, for anybody to read. It goes where Windows
# looks as well and only the system reads: the secrets of the Local Security Authority.
function Protect-Logon {
  $password = (Get-ItemProperty -Path $Winlogon).PSObject.Properties['DefaultPassword']
  if ($password) {
    Add-Type -Path "$PSScriptRoot\autologon.cs"
    [Morpheus.AutoLogon]::Keep($password.Value)
    Remove-ItemProperty -Path $Winlogon -Name DefaultPassword
  }
  Set-ItemProperty -Path $Winlogon -Name AutoAdminLogon -Type String -Value '1'
  Remove-ItemProperty -Path $Winlogon -Name AutoLogonCount -ErrorAction SilentlyContinue
}

# The answer file and its copies, and the credentials that were taken over from the disc.
function Remove-Secrets {
  $copies = @("$env:windir\Panther\unattend.xml", "$env:windir\Panther\autounattend.xml", "$env:windir\Panther\unattend-original.xml",
    "$env:windir\Panther\Unattend\unattend.xml", "$env:windir\System32\Sysprep\unattend.xml", "$env:SystemDrive\unattend.xml",
    "$env:SystemDrive\autounattend.xml", "$Dir\setup\files\nats\forest.creds")
  foreach ($path in $copies) {
    if (Test-Path -LiteralPath $path) { Remove-Item -LiteralPath $path -Force }
  }
}
