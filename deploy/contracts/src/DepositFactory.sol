// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {Forwarder} from "./Forwarder.sol";

/// Deploys deposit addresses and brings their money home. A deposit address follows from a salt
/// (keccak256 of the payment id) alone, so it can be shown, and paid to, long before anything
/// stands there. Anyone may sweep: the money can only reach the vault.
contract DepositFactory {
    /// Gas that one flush may use, so that a token that burns all its gas fails alone.
    uint256 public constant FLUSH_GAS = 300_000;
    /// A sweep reverts when less than this is left before a deposit: deployment, FLUSH_GAS after
    /// the rule of 63/64, and room for the event. Otherwise too small a gas limit would show as a
    /// failed flush.
    uint256 public constant ITEM_GAS_FLOOR = 420_000;

    /// The code that all deposit addresses share.
    address public immutable implementation;
    /// keccak256 of the code that creates a deposit address: the third part of the CREATE2 rule.
    bytes32 public immutable initCodeHash;

    /// `amount` is what was sent; for a token that takes a fee the vault receives less.
    event Flushed(
        bytes32 indexed salt, address indexed deposit, address indexed token, uint256 amount
    );
    event FlushFailed(
        bytes32 indexed salt, address indexed deposit, address indexed token, bytes reason
    );

    error VaultHasNoCode(address vault);
    error TooLittleGas();

    constructor(address vault) {
        if (vault.code.length == 0) revert VaultHasNoCode(vault);
        address code = address(new Forwarder(vault));
        implementation = code;
        initCodeHash = keccak256(
            abi.encodePacked(
                hex"3d602d80600a3d3981f3363d3d373d3d3d363d73",
                code,
                hex"5af43d82803e903d91602b57fd5bf3"
            )
        );
    }

    /// Flushes one token from many deposit addresses, deploying those that do not exist yet. Each
    /// salt emits exactly one of Flushed and FlushFailed, and no deposit stops another. An empty
    /// one fails with Forwarder.NothingToFlush.
    function sweep(bytes32[] calldata salts, address token) external {
        for (uint256 i = 0; i < salts.length; ++i) {
            if (gasleft() < ITEM_GAS_FLOOR) revert TooLittleGas();
            bytes32 salt = salts[i];
            address deposit = depositAddress(salt);
            // Anyone may have deployed it, even earlier in this very call.
            if (deposit.code.length == 0) Clones.cloneDeterministic(implementation, salt);
            try Forwarder(deposit).flush{gas: FLUSH_GAS}(token) returns (uint256 amount) {
                emit Flushed(salt, deposit, token, amount);
            } catch (bytes memory reason) {
                emit FlushFailed(salt, deposit, token, reason);
            }
        }
    }

    /// Where the deposit address of a salt is, or will be.
    function depositAddress(bytes32 salt) public view returns (address) {
        return Create2.computeAddress(salt, initCodeHash);
    }
}
